/** A bounded first-in-first-out queue that says what it did with a message when full. */
import assert from 'node:assert'
import type { OverflowRule } from './actor.ts'

export type Admission = 'queued' | 'dropped-oldest' | 'dropped-new' | 'overflow'

export class Mailbox<Message> {
  readonly max: number
  readonly rule: OverflowRule
  /** Ring buffer; grows by doubling up to `max`. Empty slots hold undefined so that messages are not kept alive. */
  #ring: (Message | undefined)[] = new Array(8)
  #head = 0
  #size = 0

  constructor(max: number, rule: OverflowRule) {
    assert(Number.isInteger(max) && max > 0, 'a mailbox holds at least one message')
    this.max = max
    this.rule = rule
  }

  get size(): number {
    return this.#size
  }

  push(message: Message): Admission {
    if (this.#size < this.max) {
      this.#append(message)
      return 'queued'
    }
    switch (this.rule) {
      case 'drop-new':
        return 'dropped-new'
      case 'drop-oldest':
        this.shift()
        this.#append(message)
        return 'dropped-oldest'
      case 'crash':
        return 'overflow'
    }
  }

  /** The oldest message. Asserts that there is one: ask `size` first, since undefined may be a message. */
  shift(): Message {
    assert(this.#size > 0, 'an empty mailbox has no next message')
    const message = this.#ring[this.#head] as Message
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#ring.length
    this.#size--
    return message
  }

  clear(): void {
    this.#ring = new Array(8)
    this.#head = 0
    this.#size = 0
  }

  #append(message: Message): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) % this.#ring.length] = message
    this.#size++
  }

  #grow(): void {
    const larger: (Message | undefined)[] = new Array(this.#ring.length * 2)
    for (let i = 0; i < this.#size; i++) larger[i] = this.#ring[(this.#head + i) % this.#ring.length]
    this.#ring = larger
    this.#head = 0
  }
}
