/** One log that commits at once, with the real `apply` behind it, and any number of nodes that look at it. No elections. */

import type { Change, Consensus, ConsensusStatus } from '../../node/consensus/consensus.ts'
import { Failure } from '../../node/errors.ts'
import {
  type Actor,
  advance,
  apply,
  type ClusterEvent,
  type Command,
  emptyState,
  type Outcome,
  type State,
} from '../../scheduler/index.ts'

const TERM = 1

export type FakeLog = {
  readonly state: State
  /** Applies at once and tells the subscribers; throws when refused, so that a test's setup cannot fail silently. */
  commit(command: Command): number
  /** The same, telling a refusal as its outcome; a known request id gives the first outcome. */
  submit(command: Command, requestId: string, by?: Actor): Outcome
  /** Consensus as a node sees it. The first node asked for leads. */
  consensus(id: string): FakeConsensus
}

export type FakeConsensus = Consensus & {
  /** Replaces parts of the status from now on. */
  pretend(status: Partial<ConsensusStatus>): void
  /** Makes submit, barrier and transfer fail like this until told `null`. */
  fail(failure: Failure | null): void
  /** Targets that leadership was transferred to; null: whoever. */
  readonly transfers: readonly (string | null)[]
}

export const fakeLog = (options: { readonly eventsKeptMax?: number } = {}): FakeLog => {
  const eventsKeptMax = options.eventsKeptMax ?? 10_000
  const state = emptyState()
  const listeners = new Set<(change: Change) => void>()
  const voters: string[] = []
  const events: ClusterEvent[] = []
  let forgottenIndex = 0
  let requestCount = 0

  advance(state, { index: 1, term: TERM })

  const submit = (command: Command, requestId: string, by?: Actor): Outcome => {
    const at = { index: state.index + 1, term: TERM }
    const { outcome, events: told } = apply(
      state,
      { requestId, command, ...(by === undefined ? {} : { by }) },
      at,
    )
    events.push(...told)
    for (const forgotten of events.splice(0, Math.max(0, events.length - eventsKeptMax)))
      forgottenIndex = forgotten.index
    for (const listener of listeners) listener({ state, events: told })
    return outcome
  }

  return {
    state,
    submit,
    commit(command) {
      const outcome = submit(command, `setup-${++requestCount}`)
      if (!outcome.ok) throw new Error(`${command.type} was refused: ${outcome.refusal.message}`)
      return outcome.index
    },
    consensus(id) {
      voters.push(id)
      let pretended: Partial<ConsensusStatus> = {}
      let failure: Failure | null = null
      const transfers: (string | null)[] = []
      const check = (): void => {
        if (failure !== null) throw failure
      }
      return {
        transfers,
        pretend(status) {
          pretended = { ...pretended, ...status }
        },
        fail(next) {
          failure = next
        },
        async submit(command, { requestId, by }) {
          check()
          const actor = by === undefined ? undefined : { ...by, node: id }
          return submit(command, requestId ?? `request-${++requestCount}`, actor)
        },
        async barrier() {
          check()
          return state.index
        },
        state: () => state,
        subscribe(listener) {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
        eventsFrom: index => ({
          events: events.filter(event => event.index >= index),
          truncated: index <= forgottenIndex,
        }),
        status: () => ({ ...statusOf(id, voters, state), ...pretended }),
        async changeConfiguration() {
          throw new Failure('E_CONFLICT', 'the voters of a fake log are fixed')
        },
        async recover() {
          check()
          return { index: state.index, term: TERM, keptIn: null }
        },
        async transferLeadership({ to }) {
          check()
          transfers.push(to ?? null)
        },
      }
    },
  }
}

const statusOf = (id: string, voters: readonly string[], { index }: State): ConsensusStatus => {
  const leader = voters[0] ?? null
  return {
    id,
    role: leader === id ? 'leader' : 'follower',
    leader,
    term: TERM,
    lastIndex: index,
    lastTerm: TERM,
    epoch: { number: 0, mark: '' },
    commitIndex: index,
    appliedIndex: index,
    snapshotIndex: 0,
    voters: [...voters],
    learners: [],
    isJoint: false,
    hasQuorum: true,
    ageMs: 0,
    followers: [],
    writes: null,
    unfit: null,
    fatal: null,
  }
}
