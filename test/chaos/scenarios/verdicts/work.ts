/** What the scenarios about verdicts have in common: work that costs nothing, and what the cluster says of its nodes. */
import * as assert from 'uvu/assert'
import type { NodeView } from '../../../../node/api/native/schema.ts'
import { until } from '../../../harness/run-command.ts'
import type { LabCluster } from '../../cluster.ts'
import type { Host } from '../../host.ts'

/** On hosts without engines. */
export const openLab = { hasEngine: false } as const

/** `count` processes that do nothing, named web, all running. */
export const runWeb = async (host: Host, count: number): Promise<void> => {
  const done = await host.tutti([
    'run',
    '--name',
    'web',
    '--count',
    String(count),
    '--timeout',
    '60s',
    '--',
    'sleep',
    '100000',
  ])
  assert.is(done.code, 0, done.stderr)
}

export const scaleWeb = async (host: Host, count: number): Promise<void> => {
  const done = await host.tutti(['scale', `web=${count}`, '--timeout', '60s'])
  assert.is(done.code, 0, done.stderr)
}

export const nodeOf = async (cluster: LabCluster, host: Host, witness: Host): Promise<NodeView | null> =>
  (await cluster.nodes(witness)).find(({ name }) => name === host.name) ?? null

/** Milliseconds until the log holds the node to be so. */
export const heldToBe = async (
  cluster: LabCluster,
  host: Host,
  { state, witness }: { readonly state: NodeView['state']; readonly witness: Host },
): Promise<number> => {
  const startedMs = performance.now()
  await until(
    `${host.name} to be held ${state}`,
    60_000,
    async () => ((await nodeOf(cluster, host, witness))?.state === state ? true : null),
    () => witness.nodeLog(),
    100,
  )
  return performance.now() - startedMs
}

/** The ids of the live pods with their nodes, as one text: the same as long as nothing was moved or replaced. */
export const layout = async (cluster: LabCluster, witness: Host): Promise<string> => {
  const pods = await cluster.pods(witness)
  return pods
    .map(pod => `${pod.name} ${pod.id} ${pod.node} ${pod.state}`)
    .sort()
    .join('\n')
}

/** How many pods of web run on a host, as the cluster has it. */
export const countOn = async (cluster: LabCluster, host: Host, witness: Host): Promise<number> =>
  (await cluster.pods(witness)).filter(pod => pod.node === host.name && pod.state === 'running').length

export const text = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
