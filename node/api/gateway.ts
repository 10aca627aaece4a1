/**
 * The only door in for every dialect: submit a command, read the state at a stated freshness, watch events. Turns
 * refusals of the state machine into failures that say what, why and what to try.
 */
import type { Author, ClusterEvent, Command, Refusal, RefusalCode, State } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import type { Consensus, ConsensusStatus } from '../consensus/consensus.ts'
import { type ErrorCode, Failure } from '../errors.ts'
import { type Consistency, consistencyText } from './consistency.ts'
import { createFreshness, type Freshness } from './freshness.ts'
import { nearest } from './nearest.ts'
import { nearestWorkload } from './nearest-workload.ts'
import { createBell } from './stream.ts'

type WithoutTime<C> = C extends unknown ? Omit<C, 'atMs'> : never
/** A command without its time, which the gateway puts in. */
export type Intent = WithoutTime<Command>

export type Write = {
  /** The same on each retry of one logical write. */
  readonly requestId: string
  readonly timeoutMs: number
  /** Who asks for it. */
  readonly by: Author
}

export type Watched =
  | { readonly type: 'event'; readonly event: ClusterEvent }
  /** Events from `fromIndex` on, and before the next one, are not kept any more. */
  | { readonly type: 'gap'; readonly fromIndex: number }

export type Gateway = {
  /**
   * Resolves with the command's log index once it is applied here. Throws Failure: the state machine's refusal, or
   * E_NO_LEADER, E_NO_QUORUM, E_TIMEOUT, E_BUSY (retry with the same request id).
   */
  submit(intent: Intent, write: Write): Promise<number>
  /** Throws E_NO_LEADER, E_NO_QUORUM, E_TIMEOUT, E_BUSY when the replica cannot be made as fresh as that. */
  read(consistency: Consistency, timeoutMs: number): Promise<State>
  /** The replica as it is. */
  state(): State
  /** With the age that is known here: a read point that was just reached counts as well. */
  status(): ConsensusStatus
  /**
   * Events from an index on (0: all that are kept), then, with `follow`, later ones until `signal` aborts. Holds nothing
   * back for a slow reader: it reads on from where it was, and finds a gap when that is forgotten.
   */
  watch(options: {
    readonly fromIndex: number
    readonly follow: boolean
    readonly signal: AbortSignal
  }): AsyncIterable<Watched>
  /** Calls after each change of the state; the returned function ends it. */
  subscribe(listener: () => void): () => void
}

export const createGateway = ({ consensus, clock }: { consensus: Consensus; clock: Clock }): Gateway => {
  const freshness = createFreshness(consensus, clock)
  return {
    async submit(intent, write) {
      const command = { ...intent, atMs: clock.wallMs() } as Command
      const outcome = await consensus.submit(command, write).catch(thrown => Promise.reject(withHint(thrown)))
      if (outcome.ok) return outcome.index
      throw refused(outcome.refusal, intent, consensus.state())
    },
    async read(consistency, timeoutMs) {
      if (!isFreshEnough(freshness, consistency))
        await freshness
          .renew(timeoutMs)
          .catch(thrown => Promise.reject(tooOld(thrown, consistency, freshness.provenAgeMs())))
      return consensus.state()
    },
    state: () => consensus.state(),
    status: () => withAge(consensus.status(), freshness.provenAgeMs()),
    watch: options => watchEvents(consensus, options),
    subscribe: listener => consensus.subscribe(() => listener()),
  }
}

const isFreshEnough = (freshness: Freshness, consistency: Consistency): boolean => {
  if (typeof consistency === 'string') return consistency === 'local'
  const ageMs = freshness.provenAgeMs()
  return ageMs !== null && ageMs <= consistency.ageMsMax
}

const withAge = (status: ConsensusStatus, provenAgeMs: number | null): ConsensusStatus => {
  if (provenAgeMs === null || (status.ageMs !== null && status.ageMs <= provenAgeMs)) return status
  return { ...status, ageMs: provenAgeMs }
}

/** The read point could not be reached: what was asked for, why it cannot be had, and what can. */
const tooOld = (thrown: unknown, consistency: Consistency, provenAgeMs: number | null): unknown => {
  if (!(thrown instanceof Failure)) return thrown
  const { code, message, facts, cause } = thrown
  const known = provenAgeMs === null ? 'never' : `${Math.round(provenAgeMs)} ms ago`
  return new Failure(
    code,
    {
      message: `no ${consistencyText(consistency)} read is possible now: ${message}`,
      why: `only the leader of a majority knows what the newest write is; this node last asked it ${known}`,
      try: 'tutti status, or read what this node has, with its age: consistency local',
    },
    { facts: { ...facts, consistency: consistencyText(consistency) }, cause },
  )
}

async function* watchEvents(
  consensus: Consensus,
  options: { readonly fromIndex: number; readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Watched> {
  const { signal } = options
  const bell = createBell()
  const unsubscribe = consensus.subscribe(bell.ring)
  signal.addEventListener('abort', bell.ring)
  try {
    let next = options.fromIndex
    let lastReadIndex = 0
    while (!signal.aborted) {
      const rung = bell.next()
      const readIndex = consensus.state().index
      // The cluster was recovered without this node: what it had beyond that has not happened.
      if (readIndex < lastReadIndex) {
        next = readIndex + 1
        yield { type: 'gap', fromIndex: next }
      }
      lastReadIndex = readIndex
      const { events, truncated } = consensus.eventsFrom(next)
      // The very first read from 0 asks for what is kept: older events are no loss to it.
      if (truncated && next > 0) yield { type: 'gap', fromIndex: next }
      for (const event of events) {
        if (signal.aborted) return
        yield { type: 'event', event }
      }
      next = Math.max(next, readIndex + 1)
      if (!options.follow) return
      await rung
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', bell.ring)
  }
}

/** A failure of consensus with what a person can do, where it does not say so itself. */
const withHint = (thrown: unknown): unknown => {
  if (!(thrown instanceof Failure) || thrown.hint !== undefined) return thrown
  const hint = HINTS[thrown.code]
  if (hint === undefined) return thrown
  const { message, why = hint.why, facts, cause } = thrown
  return new Failure(thrown.code, { message, why, try: hint.try }, { facts, cause })
}

const HINTS: { readonly [Code in ErrorCode]?: { readonly why: string; readonly try: string } } = {
  E_NO_LEADER: {
    why: 'no majority of the voters has agreed on a leader; reads still work, containers keep running',
    try: 'tutti status',
  },
  E_NO_QUORUM: {
    why: 'a majority of the voters is needed for writes; reads still work, containers keep running',
    try: 'tutti members, then start the voters that are missing; if they are gone for ever: tutti recover --dry-run',
  },
  E_TIMEOUT: {
    why: 'the write was sent and may still be applied; a retry with the same tutti-request-id is applied once',
    try: 'tutti status',
  },
  E_BUSY: { why: 'the leader has as many writes under way as it takes', try: 'try again in a moment' },
}

const refused = (refusal: Refusal, intent: Intent, state: State): Failure => {
  const guess = refusal.code === 'E_NOT_FOUND' ? guessOf(intent, state) : null
  const try_ = guess === null ? tryOf(refusal.code, intent) : `did you mean "${guess}"?`
  return new Failure(
    refusal.code,
    { message: refusal.message, ...(try_ === null ? {} : { try: try_ }) },
    { facts: { ...refusal.facts, ...(guess === null ? {} : { guess }) } },
  )
}

const guessOf = (intent: Intent, state: State): string | null => {
  switch (intent.type) {
    case 'workload/Scale':
    case 'workload/Stop':
    case 'workload/Restart':
    case 'workload/Remove':
      return nearestWorkload(intent.name, state)
    case 'token/Revoke':
      return nearest(intent.id, state.tokens.keys())
    default:
      return null
  }
}

const tryOf = (code: RefusalCode, intent: Intent): string | null => {
  const noun = intent.type.slice(0, intent.type.indexOf('/'))
  if (code === 'E_NOT_FOUND')
    return { workload: 'tutti jobs', node: 'tutti nodes', token: 'tutti token ls' }[noun] ?? null
  if (code === 'E_CONFLICT' && noun === 'workload') return 'tutti jobs, and apply again at the index it shows'
  return null
}
