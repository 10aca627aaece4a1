/**
 * Virtual time in whole milliseconds for millions of events: a ring of slots, so that planning and running an event
 * cost the same however many there are. Within a slot, events run in the order in which they were planned.
 */

/** A power of two: beyond the longest timers, so that a slot rarely holds an event of a later round. */
const SLOTS = 1 << 17

export class TimeWheel<Event extends { atMs: number }> {
  readonly #slots: Event[][] = []
  readonly #run: (event: Event) => void
  nowMs = 0

  constructor(run: (event: Event) => void) {
    this.#run = run
  }

  /** Never before `delayMs` have passed; with 0, later in the present millisecond. Sets the event's `atMs`. */
  plan(delayMs: number, event: Event): void {
    event.atMs = this.nowMs + Math.max(0, Math.ceil(delayMs))
    const index = event.atMs & (SLOTS - 1)
    const slot = this.#slots[index]
    if (slot === undefined) this.#slots[index] = [event]
    else slot.push(event)
  }

  /** Until `untilMs`, or until `isDone` holds at the end of a millisecond; tells whether it did. */
  run(untilMs: number, isDone: () => boolean = () => false): boolean {
    for (;;) {
      this.#runSlot()
      if (isDone()) return true
      if (this.nowMs >= untilMs) return false
      this.nowMs++
    }
  }

  #runSlot(): void {
    const index = this.nowMs & (SLOTS - 1)
    const slot = this.#slots[index]
    if (slot === undefined) return
    const later: Event[] = []
    // What is planned for this very millisecond meanwhile is appended, and run as well.
    for (let position = 0; position < slot.length; position++) {
      const event = slot[position] as Event
      if (event.atMs === this.nowMs) this.#run(event)
      else later.push(event)
    }
    if (later.length > 0) this.#slots[index] = later
    else delete this.#slots[index]
  }
}
