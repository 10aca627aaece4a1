/** The demo: three nodes on this machine and a sample web workload, timed; on Ctrl-C nothing of it is left. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PodView } from '../../node/api/native/schema.ts'
import { Failure, messageOf } from '../../node/errors.ts'
import type { Style } from '../output/style.ts'
import type { Terminal } from '../terminal.ts'
import { DemoNode, type DemoRuntime, pause } from './demo-node.ts'
import { chooseEngine, SAMPLE_IMAGE } from './engine.ts'
import { killStrays } from './strays.ts'

const SAMPLE = fileURLToPath(new URL('./web.mjs', import.meta.url))
const PODS = 3
const HEALTHY_WITHIN_MS = 90_000
const PODS_GONE_WITHIN_MS = 15_000
const POLL_MS = 50

export type DemoOptions = {
  readonly terminal: Terminal
  readonly style: Style
  readonly signal: AbortSignal
  readonly runtime: 'auto' | DemoRuntime
  readonly version: string
  /** Keep the data directory at the end. */
  readonly isKept: boolean
}

/** Runs until the signal aborts; whatever happened, nodes, pods and files are gone afterwards. */
export const runDemo = async (options: DemoOptions): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-demo-'))
  const nodes = [
    new DemoNode('ash', '127.0.0.1', directory),
    new DemoNode('birch', '127.0.0.2', directory),
    new DemoNode('cedar', '127.0.0.3', directory),
  ]
  try {
    await show(options, nodes, directory)
    await new Promise<void>(resolve => {
      if (options.signal.aborted) resolve()
      options.signal.addEventListener('abort', () => resolve())
    })
    return 0
  } catch (thrown) {
    if (options.signal.aborted) return 130
    throw thrown
  } finally {
    await takeDown(options, nodes, directory)
  }
}

const show = async (options: DemoOptions, nodes: readonly DemoNode[], directory: string): Promise<void> => {
  const { terminal, style, signal } = options
  const startedMs = performance.now()
  const step = (text: string) =>
    terminal.write(` ${style.paint('good', '✔')} ${text.padEnd(58)}${seconds(startedMs)}\n`)
  const choice = await chooseEngine(options.runtime)
  await terminal.write(` tutti ${options.version} · ${choice.reason}\n\n`)

  const [first, ...others] = nodes as [DemoNode, ...DemoNode[]]
  first.start({ runtime: choice.runtime, join: null, token: null })
  await first.ready(signal)
  await step(`${first.name.padEnd(6)} ${first.peerAddress}  leader`)
  const { token } = await first
    .client(signal)
    .createToken({ kind: 'join', uses: others.length, ttlMs: 600_000 })
  for (const node of others) node.start({ runtime: choice.runtime, join: first.peerAddress, token })
  for (const node of others) {
    await node.ready(signal)
    await step(`${node.name.padEnd(6)} ${node.peerAddress}  joined`)
  }

  await first.client(signal).apply({ spec: sampleSpec(choice.runtime) })
  const pods = await healthyPods(first, signal)
  await step(
    `web    ${PODS}/${PODS} healthy  (${pods
      .map(pod => pod.node)
      .sort()
      .join(', ')})`,
  )
  await terminal.write(hints(pods, first, directory, options))
}

const hints = (
  pods: readonly PodView[],
  first: DemoNode,
  directory: string,
  { style, isKept }: DemoOptions,
): string => {
  const urls = pods.flatMap(pod => pod.ports.slice(0, 1).map(port => `http://${pod.address}:${port.host}`))
  const bold = (text: string) => style.paint('bold', text)
  return `
   service    ${urls.map(bold).join('  ')}
   connect    ${bold(`export TUTTI_CONNECT=${first.connection}`)}

 in another terminal, try:
   curl ${urls[0]}
   ./cli/bin.mjs ps                  what runs where
   ./cli/bin.mjs scale web=6         more of it
   ./cli/bin.mjs shell               an interactive shell on any node
   kill -9 $(pgrep -of 'start --name birch')   lose a machine, then: ./cli/bin.mjs events -f
 Ctrl-C stops everything${isKept ? `; ${directory} is kept` : ` and deletes ${directory}`}
`
}

const sampleSpec = (runtime: DemoRuntime): unknown => {
  const health = { http: '/health', interval: '1s', timeout: '1s', startPeriod: '20s', threshold: 3 }
  const container =
    runtime === 'docker'
      ? { image: SAMPLE_IMAGE, ports: [80], health: { ...health, http: '/' } }
      : { command: [process.execPath, SAMPLE], health }
  return { name: 'web', kind: 'service', count: PODS, pod: { containers: [container] } }
}

const healthyPods = async (node: DemoNode, signal: AbortSignal): Promise<readonly PodView[]> => {
  const client = node.client(signal)
  const deadlineMs = performance.now() + HEALTHY_WITHIN_MS
  let pods: readonly PodView[] = []
  while (performance.now() < deadlineMs) {
    signal.throwIfAborted()
    pods = (await client.pods()).filter(pod => pod.workload === 'web')
    if (pods.filter(pod => pod.health === 'healthy').length === PODS) return pods
    await pause(POLL_MS)
  }
  const states = pods.map(pod => `${pod.name} ${pod.state} ${pod.reason ?? ''}`).join('; ')
  throw new Failure('E_DEPLOY_FAILED', { message: 'the sample workload did not become healthy', why: states })
}

/** In order: the workload, so that the nodes end their pods; the nodes; what a killed node could not end; the files. */
const takeDown = async (
  options: DemoOptions,
  nodes: readonly DemoNode[],
  directory: string,
): Promise<void> => {
  const { terminal } = options
  const startedMs = performance.now()
  terminal.note('\n stopping …\n')
  await removeWorkloads(nodes).catch(thrown => terminal.note(`   ${messageOf(thrown)}\n`))
  await Promise.all(nodes.map(node => node.stop()))
  await killStrays(directory)
  if (!options.isKept) rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  terminal.note(` stopped  ${seconds(startedMs)}\n`)
}

const removeWorkloads = async (nodes: readonly DemoNode[]): Promise<void> => {
  const node = nodes.find(candidate => !candidate.hasEnded())
  if (node === undefined) return
  const client = node.client(AbortSignal.timeout(PODS_GONE_WITHIN_MS))
  for (const workload of await client.workloads()) await client.remove(workload.name)
  const deadlineMs = performance.now() + PODS_GONE_WITHIN_MS
  while (performance.now() < deadlineMs && (await client.pods()).length > 0) await pause(POLL_MS)
}

const seconds = (startedMs: number): string => `${((performance.now() - startedMs) / 1_000).toFixed(1)}s`
