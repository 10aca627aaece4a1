/**
 * Finds connections that ended without a word: a cable was taken out, a machine vanished, or TCP, after a cut, tries again
 * at ever longer intervals. Whoever was sent something and says nothing is asked whether it is there, and given up when it
 * does not answer. A connection at rest costs nothing: asking each of them now and then costs a node of fifty as much as
 * all else that it does at rest, and asking in haste makes a busy cluster lose connections that are well.
 */
import type { Clock } from '../clock.ts'
import type { PeerId } from './transport.ts'

/** Since the first message that nothing came after. */
export const SILENT_MS_MAX = 2_000
/** For the answer to the question. */
export const ANSWER_MS_MAX = 3_000
const LOOK_MS = 500

export type SilencesOptions = {
  readonly clock: Clock
  /** Rejects when there is no answer within `ANSWER_MS_MAX`. */
  readonly ask: (peer: PeerId) => Promise<unknown>
  readonly giveUp: (peer: PeerId) => void
}

export class Silences {
  readonly #options: SilencesOptions
  /** Since when a peer owes us a word, on the monotonic clock. */
  readonly #owing = new Map<PeerId, { readonly sinceMs: number; isAsked: boolean }>()
  #cancel: () => void = () => {}

  constructor(options: SilencesOptions) {
    this.#options = options
  }

  start(): void {
    this.#cancel = this.#options.clock.after(LOOK_MS, () => {
      this.#look()
      this.start()
    })
  }

  stop(): void {
    this.#cancel()
    this.#owing.clear()
  }

  sent(peer: PeerId): void {
    if (!this.#owing.has(peer))
      this.#owing.set(peer, { sinceMs: this.#options.clock.monotonicMs(), isAsked: false })
  }

  /** Also when the connection is gone, and the debt with it. */
  settled(peer: PeerId): void {
    this.#owing.delete(peer)
  }

  #look(): void {
    const { clock, ask, giveUp } = this.#options
    for (const [peer, debt] of this.#owing) {
      if (debt.isAsked || clock.monotonicMs() - debt.sinceMs < SILENT_MS_MAX) continue
      debt.isAsked = true
      const isStillOwed = (): boolean => this.#owing.get(peer) === debt
      ask(peer).then(
        () => isStillOwed() && this.settled(peer),
        () => isStillOwed() && giveUp(peer),
      )
    }
  }
}
