/** Real node processes on loopback addresses of this machine, with the process runtime; gone when the test ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DemoNode } from '../../cli/demo/demo-node.ts'
import { killStrays } from '../../cli/demo/strays.ts'
import { type Finished, run } from './run-command.ts'

const LAUNCHER = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url))
/** Not the demo's addresses, so that a demo may run beside the tests. */
const NETWORK = '127.0.77'
const NAMES = ['ash', 'birch', 'cedar', 'doug', 'elm'] as const
const READY_WITHIN_MS = 60_000

export class LocalCluster {
  readonly directory: string
  readonly nodes: DemoNode[] = []
  /** Undone between the end of the nodes and the removal of their files: mounts. Must not throw. */
  readonly undo: (() => void)[] = []

  #labelsOf: (position: number) => readonly string[] = () => []

  private constructor(directory: string) {
    this.directory = directory
  }

  /** Without nodes yet, for tests that prepare one specially before `launch`. */
  static create(): LocalCluster {
    const cluster = new LocalCluster(mkdtempSync(join(tmpdir(), 'tutti-test-')))
    process.on('exit', cluster.#onExit)
    return cluster
  }

  /** `labelsOf`: further labels of the node at a position. */
  static async start(
    count: number,
    labelsOf: (position: number) => readonly string[] = () => [],
  ): Promise<LocalCluster> {
    const cluster = LocalCluster.create()
    cluster.#labelsOf = labelsOf
    cluster.prepare()
    await cluster.launch(count)
    return cluster
  }

  /** Starts the first, prepared node, and further ones until there are `count`. */
  async launch(count: number): Promise<void> {
    try {
      const first = this.node(0)
      this.restart(first)
      await first.ready(AbortSignal.timeout(READY_WITHIN_MS))
      for (let position = 1; position < count; position++) await this.grow()
    } catch (thrown) {
      await this.stop()
      throw thrown
    }
  }

  /** A node with its address and folder, not started. */
  prepare(): DemoNode {
    const position = this.nodes.length
    const node = new DemoNode(
      NAMES[position] ?? `node-${position}`,
      `${NETWORK}.${position + 1}`,
      this.directory,
    )
    this.nodes.push(node)
    return node
  }

  async grow(): Promise<DemoNode> {
    const first = this.node(0)
    const token = await this.createToken(1)
    const node = this.prepare()
    node.start({
      runtime: 'process',
      join: first.peerAddress,
      token,
      labels: this.#labelsOf(this.nodes.indexOf(node)),
    })
    await node.ready(AbortSignal.timeout(READY_WITHIN_MS))
    return node
  }

  /** Starts a node that ended, or the founder. */
  restart(node: DemoNode): void {
    const labels = this.#labelsOf(this.nodes.indexOf(node))
    node.start({ runtime: 'process', join: null, token: null, labels })
  }

  /** The same node, which is to be down, under another address from its next start on. */
  move(node: DemoNode, address: string): DemoNode {
    const moved = new DemoNode(node.name, address, this.directory)
    this.nodes[this.nodes.indexOf(node)] = moved
    return moved
  }

  async createToken(uses: number, on: DemoNode = this.node(0)): Promise<string> {
    const { token } = await on.client(AbortSignal.timeout(10_000)).createToken({ kind: 'join', uses })
    return token
  }

  node(position: number): DemoNode {
    const node = this.nodes[position]
    if (node === undefined) throw new Error(`there is no node ${position}`)
    return node
  }

  /** A CLI command against one node's socket. */
  tutti(node: DemoNode, args: readonly string[], input?: string): Promise<Finished> {
    return run(process.execPath, [LAUNCHER, ...args], {
      timeoutMs: 60_000,
      env: { ...process.env, TUTTI_CONNECT: node.connection, NO_COLOR: '1' },
      ...(input === undefined ? {} : { input }),
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.stop()))
    await killStrays(this.directory)
    for (const step of this.undo.splice(0)) step()
    process.off('exit', this.#onExit)
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  readonly #onExit = (): void => {
    for (const node of this.nodes) node.kill()
    for (const step of this.undo.splice(0)) step()
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}
