/**
 * Looks for an order of one key's operations in which each takes effect at one moment between its call and its answer: the
 * search of Wing and Gong (1993) with Lowe's memory (2017), in which no set of operations done is tried twice with the same
 * value.
 */
import {
  type Act,
  answerOf,
  effectOf,
  type Operation,
  observedBy,
  type Value,
  writtenBy,
} from './operation.ts'

export type Ordered =
  | { readonly type: 'ordered' }
  /** Every order is stuck before the answers of this moment, and some orders come as far as that. */
  | { readonly type: 'stuck'; readonly stuckAt: number }
  /** Given up: nothing is proven. */
  | { readonly type: 'undecided' }

/** Configurations remembered: a plain history of ten thousand operations takes about as many. */
const CONFIGURATIONS_MAX = 2_000_000

export const findOrder = (operations: readonly Operation[]): Ordered => new Search(operations).run()

/** Operations of one key without an answer are sorted by what may become of them. */
type Prepared = {
  /** Must take effect, in order of their calls. */
  readonly required: readonly Operation[]
  /** May take effect, once. */
  readonly optional: readonly Operation[]
  /**
   * Calls of writes that may take effect and whose value nobody ever sees: one is as good as another, and all that they
   * can do is to make a compare-and-set fail.
   */
  readonly blanks: readonly number[]
}

/**
 * Spares the search most of what makes histories with unknown outcomes hard. An unanswered write of a value that only it
 * writes and somebody saw has taken effect, before the first that saw it was answered. One that nobody saw matters only
 * where a compare-and-set has failed.
 */
const prepare = (operations: readonly Operation[]): Prepared => {
  const useful = operations.filter(
    operation => operation.answeredAt !== null || writtenBy(operation) !== undefined,
  )
  const required = useful.filter(({ answeredAt }) => answeredAt !== null)
  const seenBefore = new Map<Value, number>()
  const see = (operation: Operation): void => {
    const value = observedBy(operation)
    if (value === undefined) return
    seenBefore.set(value, Math.min(answerOf(operation), seenBefore.get(value) ?? Number.POSITIVE_INFINITY))
  }
  required.forEach(see)
  const writers = Map.groupBy(useful, writtenBy)
  let open = useful.filter(({ answeredAt }) => answeredAt === null)
  for (let isNew = true; isNew; ) {
    isNew = false
    for (const operation of open) {
      const value = writtenBy(operation) as Value
      const answeredAt = seenBefore.get(value)
      if (value === null || writers.get(value)?.length !== 1) continue
      if (answeredAt === undefined || answeredAt < operation.calledAt) continue
      const settled = { ...operation, answeredAt }
      required.push(settled)
      see(settled)
      open = open.filter(other => other !== operation)
      isNew = true
    }
  }
  const failed = required.flatMap(({ act }) => (act.type === 'cas' && !act.isDone ? [act.expected] : []))
  const needed = new Set<Value | undefined>([...seenBefore.keys(), ...failed, ...open.map(observedBy)])
  const isSeen = (operation: Operation): boolean => needed.has(writtenBy(operation))
  const blanks = open.filter(operation => operation.act.type === 'write' && !isSeen(operation))
  const optional = open.filter(operation => failed.length > 0 || isSeen(operation))
  return {
    required: required.sort((a, b) => a.calledAt - b.calledAt),
    optional: optional.filter(operation => !blanks.includes(operation)),
    blanks: failed.length === 0 ? [] : blanks.map(({ calledAt }) => calledAt).sort((a, b) => a - b),
  }
}

/** The value after a blank: none that anybody expects. */
const BLANK = Symbol('blank')
type Held = Value | typeof BLANK

/** In place of an operation's position. */
const A_BLANK = -1

/** One operation put next in the order. */
type Choice = {
  readonly position: number
  readonly heldBefore: Held
  /** There is nothing else to be tried in its place. */
  readonly isFinal: boolean
}

const leavesAll = (act: Act): boolean => act.type === 'read' || (act.type === 'cas' && !act.isDone)

/** Depth first over all orders, without recursion: histories are long. */
class Search {
  readonly #operations: readonly Operation[]
  readonly #requiredCount: number
  readonly #blanks: readonly number[]
  /** Calls and answers by time: call of operation p is 2p, its answer 2p + 1. What is done is taken out of the ring. */
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #head: number
  readonly #isDone: Uint8Array
  readonly #seen = new Set<string>()
  readonly #choices: Choice[] = []
  #held: Held = null
  #blankCount = 0
  /** Required operations that are not in the order yet, and the first of them. */
  #left: number
  #front = 0

  constructor(operations: readonly Operation[]) {
    const { required, optional, blanks } = prepare(operations)
    this.#operations = [...required, ...optional]
    this.#requiredCount = required.length
    this.#left = required.length
    this.#blanks = blanks
    this.#isDone = new Uint8Array(this.#operations.length)
    this.#head = 2 * this.#operations.length
    this.#next = new Int32Array(this.#head + 1)
    this.#previous = new Int32Array(this.#head + 1)
    this.#link()
  }

  /** Calls come before answers of the same moment, for they overlap. */
  #link(): void {
    const timeOf = (event: number): number => {
      const operation = this.#operations[event >> 1] as Operation
      return event % 2 === 0 ? operation.calledAt : answerOf(operation)
    }
    const events = Array.from({ length: this.#head }, (_, event) => event)
      .filter(event => event % 2 === 0 || event >> 1 < this.#requiredCount)
      .sort((a, b) => timeOf(a) - timeOf(b) || (a % 2) - (b % 2) || a - b)
    let last = this.#head
    for (const event of [...events, this.#head]) {
      this.#next[last] = event
      this.#previous[event] = last
      last = event
    }
  }

  run(): Ordered {
    let stuckAt = Number.NEGATIVE_INFINITY
    this.#takeReads()
    let event = this.#next[this.#head] as number
    while (this.#left > 0) {
      if (this.#seen.size > CONFIGURATIONS_MAX) return { type: 'undecided' }
      const position = event >> 1
      if (event % 2 === 0) {
        event = this.#try(position) ? this.#first() : (this.#next[event] as number)
        continue
      }
      const answeredAt = answerOf(this.#operations[position] as Operation)
      stuckAt = Math.max(stuckAt, answeredAt)
      if (this.#tryBlank(answeredAt)) event = this.#first()
      else {
        const undone = this.#undo()
        if (undone === null) return { type: 'stuck', stuckAt }
        event = this.#next[2 * undone] as number
      }
    }
    return { type: 'ordered' }
  }

  #first(): number {
    return this.#next[this.#head] as number
  }

  /** Puts a write next. False when it does not fit here, or is known to lead nowhere. */
  #try(position: number): boolean {
    const { act } = this.#operations[position] as Operation
    const after = leavesAll(act) ? undefined : effectOf(act, this.#held)
    return after !== undefined && this.#go(position, after)
  }

  #tryBlank(beforeAt: number): boolean {
    const call = this.#blanks[this.#blankCount]
    if (call === undefined || call > beforeAt || this.#held === BLANK) return false
    return this.#go(A_BLANK, BLANK)
  }

  #go(position: number, after: Held): boolean {
    this.#take({ position, heldBefore: this.#held, isFinal: position === A_BLANK })
    this.#held = after
    this.#takeReads()
    if (this.#isNew()) return true
    for (let choice = this.#choices.pop(); choice !== undefined; choice = this.#choices.pop()) {
      this.#giveBack(choice)
      if (choice.position === position) break
    }
    return false
  }

  /** What fits now and changes nothing comes next: later it would fit no better, and nothing else fits worse for it. */
  #takeReads(): void {
    for (let event = this.#first(); event % 2 === 0 && event !== this.#head; ) {
      const position = event >> 1
      const { act } = this.#operations[position] as Operation
      const isNext = leavesAll(act) && effectOf(act, this.#held) !== undefined
      if (isNext) this.#take({ position, heldBefore: this.#held, isFinal: true })
      // Once it is taken, its answer holds up the calls behind it no longer.
      event = isNext ? this.#first() : (this.#next[event] as number)
    }
  }

  #take(choice: Choice): void {
    const { position } = choice
    this.#choices.push(choice)
    if (position === A_BLANK) {
      this.#blankCount++
      return
    }
    this.#isDone[position] = 1
    this.#unlink(2 * position)
    if (position >= this.#requiredCount) return
    this.#unlink(2 * position + 1)
    this.#left--
    while (this.#left > 0 && this.#isDone[this.#front] === 1) this.#front++
  }

  /** Takes back choices, up to the last beside which there are others, and returns its position. */
  #undo(): number | null {
    for (let choice = this.#choices.pop(); choice !== undefined; choice = this.#choices.pop()) {
      this.#giveBack(choice)
      if (!choice.isFinal) return choice.position
    }
    return null
  }

  #giveBack({ position, heldBefore }: Choice): void {
    this.#held = heldBefore
    if (position === A_BLANK) {
      this.#blankCount--
      return
    }
    this.#isDone[position] = 0
    if (position < this.#requiredCount) {
      this.#relink(2 * position + 1)
      this.#left++
      this.#front = Math.min(this.#front, position)
    }
    this.#relink(2 * position)
  }

  #unlink(event: number): void {
    const [before, after] = [this.#previous[event] as number, this.#next[event] as number]
    this.#next[before] = after
    this.#previous[after] = before
  }

  /** In the reverse order of `unlink`, so that the event's neighbours are as it left them. */
  #relink(event: number): void {
    this.#next[this.#previous[event] as number] = event
    this.#previous[this.#next[event] as number] = event
  }

  /** Lowe's memory: what is done beyond the first required operation that is not, and what the register holds. */
  #isNew(): boolean {
    const beyond: number[] = []
    const requiredDone = this.#requiredCount - this.#left
    for (let position = this.#front; beyond.length < requiredDone - this.#front; position++)
      if (this.#isDone[position] === 1) beyond.push(position)
    for (let position = this.#requiredCount; position < this.#isDone.length; position++)
      if (this.#isDone[position] === 1) beyond.push(position)
    const held = this.#held === BLANK ? '' : JSON.stringify(this.#held)
    const sizeBefore = this.#seen.size
    this.#seen.add(`${this.#front} ${beyond} ${this.#blankCount} ${held}`)
    return this.#seen.size > sizeBefore
  }
}
