/**
 * From `kill -9` of the leader to the next accepted write, asked for at a survivor at once. The peer is the shortest
 * election timeout: what a cluster needs at least that learns of a dead leader by its silence alone.
 */
import { Agent } from 'node:http'
import type { DemoNode } from '../../cli/demo/demo-node.ts'
import { socketPath } from '../../node/paths.ts'
import { defaultOptions } from '../../raft/index.ts'
import type { LocalCluster } from '../harness/local-cluster.ts'
import { post, specOf } from './load.ts'
import type { Row } from './row.ts'

const TRIALS = 10
const RETRY_MS = 5
const SETTLE_MS = 300
const READY_WITHIN_MS = 30_000
const ELECTION_MS = defaultOptions(1).electionTicksMin

export const benchFailover = async (cluster: LocalCluster): Promise<readonly Row[]> => {
  const tookMs: number[] = []
  for (let trial = 0; trial < TRIALS; trial++) tookMs.push(await failOver(cluster, trial))
  tookMs.sort((left, right) => left - right)
  const median = ((tookMs[TRIALS / 2 - 1] ?? Number.NaN) + (tookMs[TRIALS / 2] ?? Number.NaN)) / 2
  return [row('failover ms', median), row('failover ms, slowest', tookMs.at(-1) ?? Number.NaN)]
}

const row = (name: string, ours: number): Row => ({
  name,
  clients: 1,
  ours,
  peer: ELECTION_MS,
  ratio: ours / ELECTION_MS,
})

const failOver = async (cluster: LocalCluster, trial: number): Promise<number> => {
  const leader = await settledLeader(cluster)
  const survivor = cluster.nodes.find(node => node !== leader) as DemoNode
  const agent = new Agent({ keepAlive: true })
  const killedMs = performance.now()
  leader.kill()
  await accepted(agent, socketPath(survivor.directory), trial)
  const tookMs = performance.now() - killedMs
  agent.destroy()
  leader.start({ runtime: 'process', join: null, token: null })
  await leader.ready(AbortSignal.timeout(READY_WITHIN_MS))
  return tookMs
}

const accepted = async (agent: Agent, socket: string, trial: number): Promise<void> => {
  for (let write = 0; ; write++) {
    const isAccepted = await post(agent, socket, specOf(trial, write)).then(
      () => true,
      () => false,
    )
    if (isAccepted) return
    await pause(RETRY_MS)
  }
}

/** The leader, once all nodes vote and have what it has. */
const settledLeader = async (cluster: LocalCluster): Promise<DemoNode> => {
  const signal = AbortSignal.timeout(READY_WITHIN_MS)
  for (;;) {
    signal.throwIfAborted()
    await pause(SETTLE_MS)
    for (const node of cluster.nodes) {
      const [status] = await node.client(signal).raft()
      if (status?.role !== 'leader' || status.voters.length < cluster.nodes.length) continue
      const isSettled = status.followers.every(one => one.match === status.lastIndex)
      if (isSettled && status.followers.length === cluster.nodes.length - 1) return node
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
