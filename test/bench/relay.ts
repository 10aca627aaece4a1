/**
 * What a commit costs the leader as the cluster grows: bytes sent and processor time, with pure cores on a virtual network
 * and the encoding of the real one. The peer is the same cluster without relays, where the leader feeds every node.
 */
import { type Cost, RaftFleet } from '../harness/raft-fleet.ts'
import { type BenchOptions, type Result, rowOf } from './row.ts'

/** Nodes stand in the column of the clients. */
const NODES = [5, 50, 500] as const
/** Time for a new leader to leave the learners to the relays. */
const SETTLE_TICKS = 60
const COMPILED_COMMITS = 500
const COMMITS_PER_SECOND_ASKED = 40

export const benchRelay = async ({ seconds }: BenchOptions): Promise<Result> => {
  // Whoever is measured first would pay for the compilation of the code.
  costOf(new RaftFleet(50), COMPILED_COMMITS)
  const rows = NODES.flatMap(nodes => {
    const commits = Math.ceil(seconds * COMMITS_PER_SECOND_ASKED)
    const ours = costOf(new RaftFleet(nodes), commits)
    const peer = costOf(new RaftFleet(nodes, { directLearnersMax: nodes }), commits)
    return [
      rowOf('leader bytes/commit', nodes, ours.bytes, peer.bytes),
      rowOf('leader CPU ms/commit', nodes, ours.cpuMs, peer.cpuMs),
    ]
  })
  return {
    head: ['what a commit costs the leader, by the number of nodes; peer: the same cluster without relays'],
    rows,
  }
}

const costOf = (fleet: RaftFleet, commits: number): Cost => {
  fleet.pass(SETTLE_TICKS)
  return fleet.commit(commits)
}
