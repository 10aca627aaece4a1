/**
 * Virtual time: one queue of events for the whole world, ordered by time and then by the order of planning. After
 * each event all promises settle before the next one runs, so one seed gives one history.
 */
import type { Clock } from '../../node/clock.ts'

type Planned = {
  readonly atMs: number
  readonly order: number
  readonly action: () => void
  isCancelled: boolean
}

export type Timeline = {
  nowMs(): number
  plan(delayMs: number, action: () => void): () => void
  /** Runs events until `untilMs` or until `isDone` holds; false when time ran out first. Throws when something spins. */
  run(untilMs: number, isDone?: () => boolean): Promise<boolean>
  eventCount(): number
}

/** More events than this within a millisecond mean that something spins. */
const EVENTS_PER_MS_MAX = 20_000

/** Time stands still while more and more happens. */
export class Spinning extends Error {}

/** The tick comes when no promise has anything left to do, and costs less than a turn of the event loop. */
const settled = (): Promise<void> => new Promise(resolve => process.nextTick(resolve))

export const createTimeline = (): Timeline => {
  const heap = new Heap()
  let nowMs = 0
  let order = 0
  let eventCount = 0
  let spinningSinceMs = 0
  let spinCount = 0
  return {
    nowMs: () => nowMs,
    plan(delayMs, action) {
      const planned: Planned = {
        atMs: nowMs + Math.max(0, delayMs),
        order: order++,
        action,
        isCancelled: false,
      }
      heap.push(planned)
      return () => {
        planned.isCancelled = true
      }
    },
    async run(untilMs, isDone = () => false) {
      await settled()
      for (;;) {
        if (isDone()) return true
        const next = heap.peek()
        if (next === undefined || next.atMs > untilMs) break
        heap.pop()
        if (next.isCancelled) continue
        nowMs = next.atMs
        next.action()
        eventCount++
        if (nowMs >= spinningSinceMs + 1) {
          spinningSinceMs = nowMs
          spinCount = 0
        }
        if (++spinCount > EVENTS_PER_MS_MAX) throw new Spinning(`something spins at ${nowMs} ms`)
        await settled()
      }
      nowMs = Math.max(nowMs, untilMs)
      return isDone()
    },
    eventCount: () => eventCount,
  }
}

/**
 * The clock of one machine's node program. It may run a little fast or slow, and the wall clock may be off by `skewMs`. While the program is paused nothing
 * fires: what is due waits for `resume`. Once the program has ended, everything it planned is void.
 */
export type ProgramClock = Clock & {
  setSkew(skewMs: number): void
  /** 1.02: two per cent fast. Set before anything is planned. */
  setRate(rate: number): void
  pause(): void
  resume(): void
  /** The program has ended: its timers and turns never run, also those that wait. The next program starts afresh. */
  end(): void
  /** A way to take turns that dies with the present program. */
  turns(): (turn: () => void) => void
}

/** The first day of the simulated world, milliseconds since the epoch. */
const EPOCH_MS = Date.UTC(2026, 0, 1)

export const createProgramClock = (timeline: Timeline): ProgramClock => {
  let skewMs = 0
  let rate = 1
  let isPaused = false
  let life = 0
  /** What is due while the program stands still. */
  let turns: (() => void)[] = []
  let timers: (() => void)[] = []
  const deliver = (mine: number, action: () => void, waiting: () => (() => void)[]): void => {
    if (mine !== life) return
    if (isPaused) waiting().push(action)
    else action()
  }
  return {
    wallMs: () => EPOCH_MS + Math.floor(timeline.nowMs() * rate) + skewMs,
    monotonicMs: () => timeline.nowMs() * rate,
    after(delayMs, action) {
      const mine = life
      let isCancelled = false
      const cancelPlan = timeline.plan(delayMs / rate, () =>
        deliver(
          mine,
          () => {
            if (!isCancelled) action()
          },
          () => timers,
        ),
      )
      return () => {
        isCancelled = true
        cancelPlan()
      }
    },
    setSkew(value) {
      skewMs = value
    },
    setRate(value) {
      rate = value
    },
    pause() {
      isPaused = true
    },
    resume() {
      if (!isPaused) return
      isPaused = false
      // The event loop was asleep at its sockets: what came there is dealt with before any timer notices how late it is.
      const due = [...turns, ...timers]
      turns = []
      timers = []
      const mine = life
      for (const action of due) timeline.plan(0, () => deliver(mine, action, () => timers))
    },
    end() {
      life++
      isPaused = false
      turns = []
      timers = []
    },
    turns() {
      const mine = life
      return turn => queueMicrotask(() => deliver(mine, turn, () => turns))
    },
  }
}

/** A machine's own clock: that of its containers and its disk, which no pause of the node program stops. */
export const createMachineClock = (timeline: Timeline, program: Clock): Clock => ({
  wallMs: program.wallMs,
  monotonicMs: () => timeline.nowMs(),
  after: (delayMs, action) => timeline.plan(delayMs, action),
})

/** A binary min-heap by (time, order). */
class Heap {
  readonly #items: Planned[] = []

  peek(): Planned | undefined {
    return this.#items[0]
  }

  push(item: Planned): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(item, items[parent] as Planned)) break
      items[at] = items[parent] as Planned
      at = parent
    }
    items[at] = item
  }

  pop(): Planned | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && isBefore(items[child + 1] as Planned, items[child] as Planned)) child++
      if (!isBefore(items[child] as Planned, last)) break
      items[at] = items[child] as Planned
      at = child
    }
    items[at] = last
    return first
  }
}

const isBefore = (a: Planned, b: Planned): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
