/**
 * The one history that all nodes must share: every committed entry as it was first seen, and a replica of the checkers'
 * own that applies them one by one.
 */
import { parseRequest } from '../../node/consensus/request.ts'
import type { Entry } from '../../raft/index.ts'
import { advance, apply, emptyState, type Outcome, type Request, type State } from '../../scheduler/index.ts'

/** One entry as the reference replica applied it. `request` is null for entries without a command. */
export type Committed = {
  readonly entry: Entry
  readonly request: Request | null
  readonly outcome: Outcome | null
  /** The state after it. Its tables move on. */
  readonly state: State
}

export class History {
  readonly state: State = emptyState()
  readonly #entries = new Map<number, Entry>()
  readonly #requestIds = new Map<number, string>()
  readonly #onCommitted: (committed: Committed) => void

  /** `onCommitted` hears of every entry once, in order. */
  constructor(onCommitted: (committed: Committed) => void) {
    this.#onCommitted = onCommitted
  }

  /** Entries that a node has applied. Returns what contradicts the history so far, or null. */
  record(entries: readonly Entry[]): string | null {
    for (const entry of entries) {
      const before = this.#entries.get(entry.index)
      if (before === undefined) this.#entries.set(entry.index, entry)
      else if (!isSameEntry(before, entry))
        return `entry ${entry.index} was ${describeEntry(before)} and is ${describeEntry(entry)} now`
    }
    this.#advance()
    return null
  }

  /** The term of an entry that was applied somewhere. */
  termAt(index: number): number | undefined {
    return this.#entries.get(index)?.term
  }

  /** The request that the entry carries, where the reference replica has come so far. */
  requestIdAt(index: number): string | undefined {
    return this.#requestIds.get(index)
  }

  #advance(): void {
    for (;;) {
      const entry = this.#entries.get(this.state.index + 1)
      if (entry === undefined) return
      const request = entry.type === 'normal' ? parseRequest(entry.data) : null
      let outcome: Outcome | null = null
      if (request === null) advance(this.state, entry)
      else {
        outcome = apply(this.state, request, entry).outcome
        this.#requestIds.set(entry.index, request.requestId)
      }
      this.#onCommitted({ entry, request, outcome, state: this.state })
    }
  }
}

export const isSameEntry = (one: Entry, other: Entry): boolean => {
  if (one.term !== other.term || one.type !== other.type) return false
  if (one.type === 'normal' && other.type === 'normal') return Buffer.compare(one.data, other.data) === 0
  if (one.type === 'configuration' && other.type === 'configuration')
    return JSON.stringify(one.configuration) === JSON.stringify(other.configuration)
  return true
}

const describeEntry = (entry: Entry): string => {
  const request = entry.type === 'normal' ? parseRequest(entry.data) : null
  const what = request === null ? entry.type : `${request.command.type} (${request.requestId})`
  return `${what} of term ${entry.term}`
}
