// Majority arithmetic for one voter list and for joint consensus: votes won, index committed. Nothing else.
import type { Configuration, NodeId } from './saved.ts'

export type VoteOutcome = 'won' | 'lost' | 'pending'

/** The smallest count that any two of overlap in a list of `count`. */
export const majorityOf = (count: number): number => Math.floor(count / 2) + 1

/** The greatest index that a majority of `voters` has reached; 0 for an empty list. */
export const majorityIndex = (voters: readonly NodeId[], indexOf: (voter: NodeId) => number): number => {
  if (voters.length === 0) return 0
  const descending = voters.map(indexOf).sort((a, b) => b - a)
  return descending[majorityOf(voters.length) - 1]!
}

/** Where a vote stands among `voters`; undefined means not yet answered. An empty list never wins. */
export const majorityVote = (
  voters: readonly NodeId[],
  voteOf: (voter: NodeId) => boolean | undefined,
): VoteOutcome => {
  const needed = majorityOf(voters.length)
  let granted = 0
  let refused = 0
  for (const voter of voters) {
    const vote = voteOf(voter)
    if (vote === true) granted += 1
    if (vote === false) refused += 1
  }
  if (granted >= needed) return 'won'
  return voters.length - refused < needed ? 'lost' : 'pending'
}

/** As `majorityIndex`, needing both majorities while the configuration is joint (thesis §4.3). */
export const quorumIndex = (configuration: Configuration, indexOf: (voter: NodeId) => number): number => {
  const incoming = majorityIndex(configuration.voters, indexOf)
  if (configuration.votersOutgoing.length === 0) return incoming
  return Math.min(incoming, majorityIndex(configuration.votersOutgoing, indexOf))
}

/** As `majorityVote`, needing both majorities while the configuration is joint. */
export const quorumVote = (
  configuration: Configuration,
  voteOf: (voter: NodeId) => boolean | undefined,
): VoteOutcome => {
  const incoming = majorityVote(configuration.voters, voteOf)
  if (configuration.votersOutgoing.length === 0) return incoming
  const outgoing = majorityVote(configuration.votersOutgoing, voteOf)
  if (incoming === 'lost' || outgoing === 'lost') return 'lost'
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending'
}

/** Whether those for whom the claim holds form a quorum. */
export const isQuorum = (configuration: Configuration, holdsFor: (voter: NodeId) => boolean): boolean =>
  quorumVote(configuration, holdsFor) === 'won'
