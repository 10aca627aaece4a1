/** Why each node votes or does not, in words for people: the rules of quorum-keeper.ts, told of one node at a time. Pure. */
import type { Candidate, KeeperInput } from './quorum-keeper.ts'

/** By node id: a phrase without a full stop. */
export type Seats = ReadonlyMap<string, string>

export const seatsOf = (input: KeeperInput): Seats =>
  new Map(input.roster.map(one => [one.id, wordsOf(input, one)]))

const wordsOf = (input: KeeperInput, one: Candidate): string => {
  const { self, configuration } = input
  if (one.id === self) return 'leads'
  return configuration.voters.includes(one.id) ? voterWords(input, one) : learnerWords(input, one)
}

const voterWords = ({ policy, nowMs }: KeeperInput, one: Candidate): string => {
  const forMs = nowMs - one.sinceMs
  if (!one.isAlive && forMs < policy.stabilisationMs)
    return `silent for ${seconds(forMs)}: replaced after ${seconds(policy.stabilisationMs)}`
  if (!one.isAlive) return `silent for ${seconds(forMs)}: replaced as soon as another node can vote`
  const flaw = flawOf(one, policy.diskSlowMs)
  return flaw === null ? 'votes' : `votes, and gives way to a better node: ${flaw}`
}

const learnerWords = ({ policy, nowMs }: KeeperInput, one: Candidate): string => {
  const forMs = nowMs - one.sinceMs
  if (!one.isAlive) return `silent for ${seconds(forMs)}`
  if (!Number.isFinite(one.lag)) return 'has not answered this leader yet'
  if (one.lag > policy.lagMax) return `lacks ${one.lag} entries: ${policy.lagMax} are allowed`
  if (forMs < one.probationMs)
    return `was lost before: on probation for ${seconds(one.probationMs - forMs)} more`
  const flaw = flawOf(one, policy.diskSlowMs)
  return flaw === null ? 'in reserve' : `in reserve, behind others: ${flaw}`
}

const flawOf = (one: Candidate, diskSlowMs: number): string | null => {
  if (one.isDrained) return 'it is drained'
  return (one.diskMs ?? 0) > diskSlowMs ? `its disk takes ${one.diskMs} ms` : null
}

const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1_000))} s`
