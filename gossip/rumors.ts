/** What to piggyback on messages, how often, and within how many bytes: the least told first, among the untold the newest. */
import type { NodeId } from './member.ts'
import { bytesOf, type Rumor } from './message.ts'

/** Of a rumour that pub/sub brings: for the few that it misses, whatever the size of the cluster. */
const RIDES_MAX = 3

type Queued = {
  readonly rumor: Rumor
  readonly bytes: number
  /** Whether rounds of gossip are held for it; what pub/sub brings to everybody only rides on other messages. */
  readonly isPressing: boolean
  sentCount: number
}

export class Rumors {
  /** At most one rumour about each node: a newer one replaces the older. */
  readonly #queue = new Map<NodeId, Queued>()
  /** By how often they have been sent; whoever was replaced or dropped is passed over. */
  readonly #levels: Queued[][] = []
  #pressingCount = 0

  get size(): number {
    return this.#queue.size
  }

  get isPressing(): boolean {
    return this.#pressingCount > 0
  }

  add(rumor: Rumor, isPressing: boolean): void {
    this.forget(rumor.member.id)
    const queued = { rumor, bytes: bytesOf(rumor), isPressing, sentCount: 0 }
    if (isPressing) this.#pressingCount++
    this.#queue.set(rumor.member.id, queued)
    this.#level(0).unshift(queued)
  }

  forget(id: NodeId): void {
    const queued = this.#queue.get(id)
    if (queued === undefined) return
    this.#queue.delete(id)
    if (queued.isPressing) this.#pressingCount--
  }

  clear(): void {
    this.#queue.clear()
    this.#levels.length = 0
    this.#pressingCount = 0
  }

  /** Takes what fits for `to`, and drops each rumour that has now been sent `repeatMax` times. */
  take(to: NodeId, limits: { readonly bytesMax: number; readonly repeatMax: number }): Rumor[] {
    if (this.#queue.size === 0) return []
    const taken: Queued[] = []
    let bytesLeft = limits.bytesMax
    for (const [sentCount, level] of this.#levels.entries()) {
      const staying: Queued[] = []
      for (const queued of level) {
        const { id } = queued.rumor.member
        if (this.#queue.get(id) !== queued) continue
        if (id === to || queued.bytes > bytesLeft) {
          staying.push(queued)
          continue
        }
        bytesLeft -= queued.bytes
        taken.push(queued)
      }
      this.#levels[sentCount] = staying
    }
    for (const queued of taken) {
      queued.sentCount++
      const repeatMax = queued.isPressing ? limits.repeatMax : Math.min(RIDES_MAX, limits.repeatMax)
      if (queued.sentCount >= repeatMax) this.forget(queued.rumor.member.id)
      else this.#level(queued.sentCount).push(queued)
    }
    return taken.map(({ rumor }) => rumor)
  }

  #level(sentCount: number): Queued[] {
    const level = this.#levels[sentCount] ?? []
    this.#levels[sentCount] = level
    return level
  }
}
