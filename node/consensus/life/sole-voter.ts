/**
 * The only voter needs nobody's vote, so it would lead the moment it starts, also when the cluster was recovered without it
 * while it was away; what it acknowledged until it heard of that would be lost. So it asks the other members first.
 */
import type { Message, Raft } from '../../../raft/index.ts'
import type { Log } from '../../log.ts'
import type { PeerId } from '../consensus.ts'
import { isOnlyVoter } from '../raft-status.ts'

/**
 * For the silent ones. Longer than it takes until two nodes that run have found each other: a head start, a refused dial and
 * the pause after it. Not for ever, for of two nodes the one that votes has to start also when the other will never be back.
 */
export const ASK_MS_MAX = 4_000
/** Until they are connected, questions are lost. */
const ASK_AGAIN_MS = 100

type Now = { readonly log: Log; monotonicMs(): number }

export class Inquiry {
  readonly #core: Raft
  readonly #silent: Set<PeerId>
  #sinceMs: number | null = null
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(core: Raft) {
    this.#core = core
    const status = core.status()
    this.#silent = new Set(isOnlyVoter(status) ? status.configuration.learners : [])
  }

  /** While it is, no tick may reach the core. */
  get isOpen(): boolean {
    return this.#silent.size > 0
  }

  /** A member has spoken within our epoch: it knows of no newer one. True when nobody else is waited for. */
  heard(from: PeerId): boolean {
    return this.#silent.delete(from) && !this.isOpen
  }

  /** To be called with each tick. A pre-vote asks without obligation, and all members answer it, whatever they think of it. */
  ask(now: Now, send: (to: PeerId, question: Message) => void): void {
    if (!this.isOpen) return
    const nowMs = now.monotonicMs()
    this.#sinceMs ??= nowMs
    if (nowMs - this.#sinceMs >= ASK_MS_MAX) {
      now.log.warn(
        'the only voter leads, though not all have said that the cluster was not recovered without it',
        {
          silent: [...this.#silent],
        },
      )
      return this.#silent.clear()
    }
    if (nowMs - this.#askedMs < ASK_AGAIN_MS) return
    this.#askedMs = nowMs
    const { term, lastIndex, lastTerm } = this.#core.status()
    for (const member of this.#silent) send(member, { type: 'preVote', term: term + 1, lastIndex, lastTerm })
  }
}
