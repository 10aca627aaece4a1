/** Our three nodes, written to through the public API: each write changes a workload of no pods. */
import { socketPath } from '../../node/paths.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { type Contender, freshValue, NODES, pause } from './contender.ts'
import { HttpWriter } from './http-writer.ts'

const READY_WITHIN_MS = 30_000
const LOOK_MS = 100

export const startTutti = async (): Promise<Contender> => {
  const cluster = await LocalCluster.start(NODES)
  const socketOf = (position: number): string => socketPath(cluster.node(position % NODES).directory)
  let onceCount = 0

  const settledLeader = async (): Promise<number> => {
    const signal = AbortSignal.timeout(READY_WITHIN_MS)
    for (;;) {
      signal.throwIfAborted()
      for (const [position, node] of cluster.nodes.entries()) {
        const [status] = await node.client(signal).raft()
        if (status?.role !== 'leader' || status.voters.length < NODES) continue
        const isSettled = status.followers.every(one => one.match === status.lastIndex)
        if (isSettled && status.followers.length === NODES - 1) return position
      }
      await pause(LOOK_MS)
    }
  }

  return {
    async writers(count) {
      const open = await Promise.all(Array.from({ length: count }, (_, n) => HttpWriter.open(socketOf(n))))
      return {
        write: (writer, write) => open[writer]!.post('/tutti/v1/workloads', bodyOf(`bench-${writer}`, write)),
        close: () => {
          for (const writer of open) writer.close()
        },
      }
    },
    settledLeader,
    pids: () => cluster.nodes.flatMap(node => node.pid ?? []),
    kill: position => cluster.node(position).kill(),
    async revive(position) {
      const node = cluster.node(position)
      node.start({ runtime: 'process', join: null, token: null })
      await node.ready(AbortSignal.timeout(READY_WITHIN_MS))
    },
    async writeOnce(position, signal) {
      const writer = await HttpWriter.open(socketOf(position))
      const close = (): void => writer.close()
      signal.addEventListener('abort', close)
      await writer.post('/tutti/v1/workloads', bodyOf(`once-${position}`, ++onceCount)).finally(close)
    },
    stop: () => cluster.stop(),
  }
}

const bodyOf = (name: string, write: number): string =>
  JSON.stringify({
    spec: {
      name,
      kind: 'service',
      count: 0,
      pod: { containers: [{ command: ['true'], env: { VALUE: freshValue(write) } }] },
    },
  })
