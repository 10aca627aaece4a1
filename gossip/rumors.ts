/** What to piggyback on messages, how often, and within how many bytes: the newest and least told first. */
import type { NodeId } from './member.ts'
import type { Rumor } from './message.ts'

type Queued = { readonly rumor: Rumor; readonly bytes: number; readonly order: number; sentCount: number }

export class Rumors {
  /** At most one rumour about each node: a newer one replaces the older. */
  readonly #queue = new Map<NodeId, Queued>()
  #order = 0

  get size(): number {
    return this.#queue.size
  }

  add(rumor: Rumor): void {
    this.#order++
    this.#queue.set(rumor.member.id, { rumor, bytes: bytesOf(rumor), order: this.#order, sentCount: 0 })
  }

  forget(id: NodeId): void {
    this.#queue.delete(id)
  }

  clear(): void {
    this.#queue.clear()
  }

  /** Takes what fits for `to`, and drops each rumour that has now been sent `repeatMax` times. */
  take(to: NodeId, limits: { readonly bytesMax: number; readonly repeatMax: number }): Rumor[] {
    const waiting = [...this.#queue.values()].filter(({ rumor }) => rumor.member.id !== to)
    waiting.sort((a, b) => a.sentCount - b.sentCount || b.order - a.order)
    const taken: Rumor[] = []
    let bytesLeft = limits.bytesMax
    for (const queued of waiting) {
      if (queued.bytes > bytesLeft) continue
      bytesLeft -= queued.bytes
      taken.push(queued.rumor)
      queued.sentCount++
      if (queued.sentCount >= limits.repeatMax) this.#queue.delete(queued.rumor.member.id)
    }
    return taken
  }
}

/** An estimate of the encoded size; field names are part of it. */
function bytesOf({ member, by }: Rumor): number {
  let bytes = 80 + member.id.length + by.length
  for (const address of member.addresses) bytes += 2 + address.length
  for (const [key, text] of Object.entries(member.metadata)) bytes += 4 + key.length + text.length
  return bytes
}
