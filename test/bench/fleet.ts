/** Many real nodes on this machine at once, and when all of them have become one cluster. */
import type { RaftView } from '../../node/api/native/schema.ts'
import { LocalCluster } from '../harness/local-cluster.ts'
import { pause } from './contender.ts'

/** Starting at once: each takes a second of a core. */
const STARTING_MAX = 4
const READY_WITHIN_MS = 60_000
const LOOK_MS = 250
const LOOK_TIMEOUT_MS = 10_000

/** Resolves when every node has answered for itself; `converged` tells when all agree. */
export const startFleet = async (count: number): Promise<LocalCluster> => {
  const cluster = await LocalCluster.start(1)
  try {
    await startAnew(cluster)
    if (count > 1) await startOthers(cluster, count)
    return cluster
  } catch (thrown) {
    await cluster.stop()
    throw thrown
  }
}

/** The first start of changed files compiles them, and carries the compiler along; all that start from now on do not. */
const startAnew = async (cluster: LocalCluster): Promise<void> => {
  const first = cluster.node(0)
  await first.stop()
  cluster.restart(first)
  await first.ready(AbortSignal.timeout(READY_WITHIN_MS))
}

const startOthers = async (cluster: LocalCluster, count: number): Promise<void> => {
  const token = await cluster.createToken(count - 1)
  const join = cluster.node(0).peerAddress
  const waiting = Array.from({ length: count - 1 }, () => cluster.prepare())
  const startInTurn = async (): Promise<void> => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      node.start({ runtime: 'process', join, token })
      await node.ready(AbortSignal.timeout(READY_WITHIN_MS))
    }
  }
  await Promise.all(Array.from({ length: STARTING_MAX }, startInTurn))
}

/** Milliseconds until every node holds every other for alive, follows one leader and has the same log and state. */
export const converged = async (cluster: LocalCluster, withinMs: number): Promise<number> => {
  const startedMs = performance.now()
  let missing = ''
  while (performance.now() - startedMs < withinMs) {
    missing = await disagreement(cluster)
    if (missing === '') return performance.now() - startedMs
    await pause(LOOK_MS)
  }
  throw new Error(`the nodes did not become one cluster within ${withinMs / 1_000} s: ${missing}`)
}

/** What is still wrong, of the first node that is not as it should be; empty when nothing is. */
const disagreement = async (cluster: LocalCluster): Promise<string> => {
  const running = cluster.nodes.filter(node => !node.hasEnded())
  const leaders = new Set<string>()
  const states = new Set<string>()
  for (const node of running) {
    const client = node.client(AbortSignal.timeout(LOOK_TIMEOUT_MS))
    const seen = await Promise.all([client.members(), client.status(), client.raft(), client.digest()]).catch(
      (error: Error) => error,
    )
    if (seen instanceof Error) return `${node.name} does not answer: ${seen.message}`
    const [members, status, [raft], digest] = seen
    const alive = members.filter(member => member.state === 'alive').length
    if (alive !== running.length) return `${node.name} holds ${alive} of ${running.length} for alive`
    if (status.leader === null) return `${node.name} follows nobody`
    if (!hasApplied(raft)) return `${node.name} has not applied its log`
    leaders.add(status.leader)
    states.add(`${digest.index} ${digest.digest}`)
  }
  if (leaders.size !== 1) return `they follow ${[...leaders].join(', ')}`
  return states.size === 1 ? '' : `their states differ: ${[...states].join(', ')}`
}

const hasApplied = (raft: RaftView | undefined): boolean =>
  raft !== undefined && raft.appliedIndex === raft.lastIndex
