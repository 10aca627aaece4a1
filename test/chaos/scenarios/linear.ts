/**
 * Five real nodes under kill -9, pauses, power cuts and partitions, while clients write, set on condition and read through
 * all of them. The whole history must be linearizable, no acknowledged write may be lost, and in the end all nodes must
 * have the same state.
 */
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { judgeHistory, type Verdict } from '../../harness/linearizable.ts'
import { tellOperation } from '../../harness/operation.ts'
import { prng } from '../../harness/prng.ts'
import { until } from '../../harness/run-command.ts'
import { LabCluster } from '../cluster.ts'
import { Crowd, lostWrites, type Recorded } from '../linear/crowd.ts'
import { Nemesis } from '../linear/nemesis.ts'
import type { Effort } from './effort.ts'

const NODE_COUNT = 5
const CONVERGED_WITHIN_MS = 60_000
const LOST_TOLD_MAX = 10
/** So long without an acknowledged write is worth a look, this often. */
const SILENCE_MS_MAX = 15_000
const WATCH_MS = 2_500

export type LinearOptions = {
  readonly seconds: number
  readonly clients: number
  readonly seed: number
  readonly tell: (line: string) => void
}

export type LinearResult = {
  readonly history: readonly Recorded[]
  readonly counts: Readonly<Crowd['counts']>
  readonly faults: ReadonlyMap<string, number>
  readonly longestGapMs: number
  readonly lost: readonly Recorded[]
  readonly verdict: Verdict
  /** The index and digest that all nodes came to. */
  readonly index: number
  readonly digest: string
}

export const linear = async ({ minutes, clients, seed, out }: Effort): Promise<void> => {
  const tell = (line: string): void => console.log(`  ${line}`)
  const result = await runLinear({ seconds: 60 * minutes, clients, seed, tell })
  if (out !== null) await writeHistory(out, result.history)
  report(result, tell)
  tell(`replay: npm run chaos -- linear --minutes ${minutes} --clients ${clients} --seed ${seed}`)
  if (result.verdict.type !== 'linearizable' || result.lost.length > 0)
    throw new Error('the cluster broke its promise')
}

/** Throws when the cluster does not become whole again; what its clients saw is for the caller to judge. */
export const runLinear = async ({ seconds, clients, seed, tell }: LinearOptions): Promise<LinearResult> => {
  const cluster = await LabCluster.found(NODE_COUNT, { hasEngine: false })
  try {
    const { hosts } = cluster.lab
    const startedMs = performance.now()
    const stamped = (line: string): void =>
      tell(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
    await allVote(cluster)
    const dice = prng(seed, 'linear')
    const crowd = new Crowd(hosts, dice.fork('crowd'))
    const nemesis = new Nemesis(hosts, dice.fork('nemesis'), stamped)
    const working = crowd.open(clients)
    const watch = setInterval(() => {
      if (crowd.silentMs() > SILENCE_MS_MAX) void tellSilence(cluster, crowd.silentMs(), stamped)
    }, WATCH_MS)
    try {
      const breaking = nemesis.run()
      await Promise.race([pause(seconds * 1_000), breaking])
      nemesis.end()
      await breaking
      stamped('everything is healed')
      await allVote(cluster)
    } finally {
      clearInterval(watch)
      nemesis.end()
      crowd.close()
    }
    await working
    if (crowd.fault !== null) throw crowd.fault
    const versions = await crowd.readAll()
    const { index, digest } = await oneState(cluster)
    stamped('all nodes have one state')
    return {
      history: crowd.history,
      counts: crowd.counts,
      faults: nemesis.counts,
      longestGapMs: crowd.longestGap.ms,
      lost: lostWrites(crowd.history, versions),
      verdict: judgeHistory(crowd.history),
      index,
      digest,
    }
  } finally {
    await cluster.close()
  }
}

/** What the nodes think of it when nothing can be written for long: faults may be to blame, or the nodes. */
const tellSilence = async (cluster: LabCluster, ms: number, tell: (line: string) => void): Promise<void> => {
  const words = await Promise.all(
    cluster.lab.hosts.map(async host => {
      const view = await cluster.raft(host)
      if (view === null) return `${host.name} is silent`
      const { role, term, lastIndex, commitIndex, voters, isJoint } = view
      return `${host.name} ${role} of ${view.leader} in term ${term}, ${commitIndex} of ${lastIndex} by ${voters.join('+')}${isJoint ? ' (changing)' : ''}`
    }),
  )
  tell(`no write for ${(ms / 1_000).toFixed(0)} s: ${words.join('; ')}`)
}

/** Every node answers, follows one leader and is a voter. */
const allVote = async (cluster: LabCluster): Promise<void> => {
  let seen = ''
  await until(
    'all nodes to vote under one leader',
    CONVERGED_WITHIN_MS,
    async () => {
      const views = await Promise.all(cluster.lab.hosts.map(host => cluster.raft(host)))
      seen = JSON.stringify(views)
      const isWhole = views.every(
        view => view?.hasQuorum === true && view.voters.length === NODE_COUNT && !view.isJoint,
      )
      return isWhole && new Set(views.map(view => view?.leader)).size === 1 ? true : null
    },
    () => `${seen}\n${cluster.lab.hosts.map(host => `${host.name}: ${host.nodeLog()}`).join('\n')}`,
    200,
  )
}

/** Waits until all nodes tell the same index, and asserts that they tell the same digest at equal ones all the while. */
const oneState = async (
  cluster: LabCluster,
): Promise<{ readonly index: number; readonly digest: string }> => {
  const digests = new Map<number, string>()
  return until('all nodes to have the same index', CONVERGED_WITHIN_MS, async () => {
    const views = await Promise.all(cluster.lab.hosts.map(host => cluster.digest(host)))
    for (const view of views) {
      if (view === null) return null
      const known = digests.get(view.index) ?? view.digest
      if (known !== view.digest) throw new Error(`${view.node} has another state at entry ${view.index}`)
      digests.set(view.index, view.digest)
    }
    const [first] = views
    return first != null && views.every(view => view?.index === first.index) ? first : null
  })
}

const report = (result: LinearResult, tell: (line: string) => void): void => {
  const { history, counts, faults, verdict, lost, longestGapMs, index, digest } = result
  const all = counts.done + counts.conflict + counts.refused + counts.unknown
  tell(
    `${all} operations: ${counts.done} done, ${counts.conflict} conflicts, ${counts.refused} refused, ${counts.unknown} of unknown outcome`,
  )
  tell(`faults: ${[...faults].map(([kind, count]) => `${count} ${kind}`).join(', ')}`)
  tell(`longest time without an acknowledged write: ${(longestGapMs / 1_000).toFixed(1)} s`)
  tell(`${lost.length} acknowledged writes lost`)
  const origin = history[0]?.calledAt ?? 0
  for (const operation of lost.slice(0, LOST_TOLD_MAX)) tell(`  ${tellOperation(operation, origin)}`)
  tell(`all ${NODE_COUNT} nodes at entry ${index} with digest ${digest}`)
  tell(verdictText(verdict))
  if (verdict.type === 'violated')
    for (const operation of verdict.witness) tell(`  ${tellOperation(operation, origin)}`)
}

const verdictText = (verdict: Verdict): string => {
  switch (verdict.type) {
    case 'linearizable':
      return `linearizable: ${verdict.operationCount} operations on ${verdict.keyCount} keys, 0 violations`
    case 'violated':
      return 'NOT linearizable. No order explains, in milliseconds from the start:'
    case 'undecided':
      return `undecided: the search of ${verdict.key} was given up`
  }
}

/** One JSON line for each operation, in the order in which they ended. */
const writeHistory = async (file: string, history: readonly Recorded[]): Promise<void> => {
  const stream = createWriteStream(file)
  for (const operation of history) stream.write(`${JSON.stringify(operation)}\n`)
  stream.end()
  await finished(stream)
}
