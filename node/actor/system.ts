/** Runs actors: one run queue, root actors, counters. Time, dice and the way to yield are injected. */
import assert from 'node:assert'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { ActorRef, ActorStatus, Behavior, SpawnOptions } from './actor.ts'
import { Cell, type Host, type Runnable } from './cell.ts'

export type SystemOptions = {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** A root actor crashed more often than its supervision allows. In production the process ends; must not throw. */
  readonly onFatal?: (path: string, thrown: unknown) => void
  /**
   * Runs `turn` soon, after the current call stack. `isBusy`: much was done without a break, so let IO in first.
   * The default uses microtasks and setImmediate; the simulator runs turns in its own order.
   */
  readonly yieldTo?: (turn: () => void, isBusy: boolean) => void
}

export type ActorSystem = {
  spawn<Message>(name: string, create: () => Behavior<Message>, options?: SpawnOptions): ActorRef<Message>
  /** Ends one root actor, or all of them when none is named. Idempotent. */
  stop(actor?: ActorRef<never>): void
  /** Parents before children, in the order of their start. */
  statuses(): readonly ActorStatus[]
}

/** Turns taken before other work of the event loop gets a chance. */
const TURNS_PER_BREAK_MAX = 128

const yieldToEventLoop = (turn: () => void, isBusy: boolean): void => {
  if (isBusy) setImmediate(turn)
  else queueMicrotask(turn)
}

export const createActorSystem = (options: SystemOptions): ActorSystem => {
  const { clock, random, log } = options
  const yieldTo = options.yieldTo ?? yieldToEventLoop
  // biome-ignore lint/suspicious/noExplicitAny: roots have different protocols; the system only stops and lists them.
  const roots = new Map<string, Cell<any>>()
  let ready: Runnable[] = []
  let isDraining = false

  const drain = (): void => {
    let turns = 0
    while (ready.length > 0) {
      const batch = ready
      ready = []
      for (const [position, cell] of batch.entries()) {
        cell.run()
        if (++turns < TURNS_PER_BREAK_MAX) continue
        ready = [...batch.slice(position + 1), ...ready]
        if (ready.length > 0) return yieldTo(drain, true)
      }
    }
    isDraining = false
  }

  const host: Host = {
    clock,
    random,
    log,
    enqueue(cell) {
      ready.push(cell)
      if (isDraining) return
      isDraining = true
      yieldTo(drain, false)
    },
    afterOthers: turn => yieldTo(turn, true),
    fatal(path, thrown) {
      log.error('a root actor cannot be restarted any more', { actor: path })
      options.onFatal?.(path, thrown)
    },
  }

  return {
    spawn(name, create, spawnOptions = {}) {
      assert(!roots.has(name), `the name ${name} is taken`)
      const cell = new Cell(host, null, name, create, spawnOptions, () => roots.delete(name))
      roots.set(name, cell)
      return cell.ref
    },
    stop(actor) {
      for (const cell of [...roots.values()].reverse())
        if (actor === undefined || cell.ref === actor) cell.end()
    },
    statuses: () => [...roots.values()].flatMap(root => [...root.statuses()]),
  }
}
