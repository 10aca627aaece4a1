/** The node's replica of the state: applies entries in order, remembers recent events, tells subscribers. Written by the raft actor alone. */
import assert from 'node:assert'
import { hash } from 'node:crypto'
import type { Entry } from '../../raft/index.ts'
import {
  advance,
  apply,
  type ClusterEvent,
  digestOf,
  emptyState,
  type Outcome,
  offerSha256,
  type Request,
  restoreState,
  type State,
  snapshotOf,
} from '../../scheduler/index.ts'
import { decode, encode } from '../codec.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Change } from './consensus.ts'
import { takeRequest } from './request.ts'

/** Enough for a watcher that lost its connection for some minutes; beyond it, it must read the state anew. */
export const EVENTS_KEPT_MAX = 5_000

/** What became of one request, for those who wait for it on this node. */
export type Settled = { readonly requestId: string; readonly outcome: Outcome }

export type Store = {
  state(): State
  subscribe(listener: (change: Change) => void): () => void
  eventsFrom(index: number): { readonly events: readonly ClusterEvent[]; readonly truncated: boolean }
  /** Equal on all nodes at the same index; walks the whole state. */
  digest(): string
}

export type WritableStore = Store & {
  /** Applies entries that follow the state's index; older ones are skipped. Tells subscribers once. */
  applyAll(entries: readonly Entry[]): readonly Settled[]
  /** The state as bytes, as of `state().index`. */
  encoded(): Uint8Array
  /** Continues from another state; subscribers get it with no events. */
  replace(state: State): void
}

/** Throws when the bytes are no snapshot of this format. */
export const decodeState = (data: Uint8Array): State => restoreState(decode(data))

// Each node hashes every entry of the log for the audit trail.
offerSha256(text => hash('sha256', text))

export const createStore = (log: Log): WritableStore => {
  let state = emptyState()
  let events: ClusterEvent[] = []
  /** Events of entries up to here may be missing. */
  let forgottenIndex = 0
  const listeners = new Set<(change: Change) => void>()

  const tell = (fresh: readonly ClusterEvent[]): void => {
    for (const listener of [...listeners]) {
      try {
        listener({ state, events: fresh })
      } catch (thrown) {
        log.error('a subscriber of the state failed', { error: messageOf(thrown) })
      }
    }
  }

  const remember = (fresh: readonly ClusterEvent[]): void => {
    events.push(...fresh)
    if (events.length < 2 * EVENTS_KEPT_MAX) return
    const dropped = events.slice(0, -EVENTS_KEPT_MAX)
    events = events.slice(-EVENTS_KEPT_MAX)
    forgottenIndex = dropped.at(-1)!.index
  }

  const applyRequest = (
    entry: Entry,
    request: Request,
  ): { outcome: Outcome; events: readonly ClusterEvent[] } => {
    try {
      return apply(state, request, entry)
    } catch (thrown) {
      // Bytes that `apply` chokes on do so on every node alike. Going on is right: a restart would meet them again.
      log.error('a command could not be applied', { type: request.command.type, error: messageOf(thrown) })
      if (state.index < entry.index) advance(state, entry)
      const message = `the command ${request.command.type} is malformed`
      return {
        outcome: { ok: false, index: entry.index, refusal: { code: 'E_INVALID', message, facts: {} } },
        events: [],
      }
    }
  }

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    eventsFrom: index => ({
      events: events.filter(event => event.index >= index),
      truncated: index <= forgottenIndex,
    }),
    digest: () => digestOf(state),
    applyAll(entries) {
      const settled: Settled[] = []
      const fresh: ClusterEvent[] = []
      for (const entry of entries) {
        if (entry.index <= state.index) continue
        assert(entry.index === state.index + 1, 'entries are applied without a gap')
        const request = entry.type === 'normal' ? takeRequest(entry.data) : null
        if (request === null) {
          if (entry.type === 'normal')
            log.error('an entry is no request and was skipped', { index: entry.index })
          advance(state, entry)
          continue
        }
        const done = applyRequest(entry, request)
        settled.push({ requestId: request.requestId, outcome: done.outcome })
        fresh.push(...done.events)
      }
      remember(fresh)
      tell(fresh)
      return settled
    },
    encoded: () => encode(snapshotOf(state)),
    replace(next) {
      state = next
      events = []
      forgottenIndex = next.index
      tell([])
    },
  }
}
