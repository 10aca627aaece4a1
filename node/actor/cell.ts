/** One live actor: its mailbox, its timers, its children, and what happens when it crashes. */
import assert from 'node:assert'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ActorRef, ActorStatus, Behavior, Context, SpawnOptions } from './actor.ts'
import { Mailbox } from './mailbox.ts'
import { judgeCrash } from './supervision.ts'

/** What a cell needs of the system that runs it. */
export type Host = {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Puts a cell on the run queue; it is called once for each queueing. */
  enqueue(cell: Runnable): void
  /** Runs `turn` once the event loop has been around for others. */
  afterOthers(turn: () => void): void
  /** A root actor has crashed too often: nobody is left to restart it. */
  fatal(path: string, thrown: unknown): void
}

export type Runnable = { run(): void }

const MAILBOX_MAX_DEFAULT = 1_024
/** Messages handled in one turn, so that a busy actor does not starve the others. */
const MESSAGES_PER_TURN_MAX = 64

// biome-ignore lint/suspicious/noExplicitAny: a parent holds children of many protocols and only stops or lists them.
type AnyCell = Cell<any>

export class Cell<Message> implements Runnable {
  readonly ref: ActorRef<Message>
  readonly #host: Host
  readonly #parent: AnyCell | null
  readonly #create: () => Behavior<Message>
  readonly #onCrash: NonNullable<SpawnOptions['onCrash']>
  readonly #mailbox: Mailbox<Message>
  readonly #children = new Map<string, AnyCell>()
  readonly #timers = new Set<() => void>()
  readonly #context: Context<Message>
  readonly #onEnd: () => void
  #behavior: Behavior<Message> | null = null
  #state: 'starting' | 'live' | 'waiting' | 'ended' = 'starting'
  /** Grows with each restart and at the end, so that late timers and piped results are recognised. */
  #life = 0
  #isQueued = false
  #receivedCount = 0
  #droppedCount = 0
  #restartCount = 0
  #crashedAtMs: readonly number[] = []
  #lastCrash: string | null = null

  constructor(
    host: Host,
    parent: AnyCell | null,
    path: string,
    create: () => Behavior<Message>,
    options: SpawnOptions,
    onEnd: () => void,
  ) {
    this.#host = host
    this.#parent = parent
    this.#create = create
    this.#onCrash = options.onCrash ?? 'restart'
    this.#mailbox = new Mailbox(options.mailboxMax ?? MAILBOX_MAX_DEFAULT, options.overflow ?? 'crash')
    this.#onEnd = onEnd
    this.ref = { path, send: message => this.#accept(message) }
    this.#context = this.#makeContext(path)
    this.#queue()
  }

  run(): void {
    this.#isQueued = false
    if (this.#state === 'starting') this.#begin()
    for (let turn = 0; turn < MESSAGES_PER_TURN_MAX; turn++) {
      if (this.#state !== 'live' || this.#mailbox.size === 0) return
      const message = this.#mailbox.shift()
      this.#receivedCount++
      try {
        this.#behavior?.receive(message, this.#context)
      } catch (thrown) {
        this.crash(thrown)
      }
    }
    if (this.#state === 'live' && this.#mailbox.size > 0) this.#queue()
  }

  /** Children first, then the actor itself; nothing is delivered afterwards. */
  end(): void {
    if (this.#state === 'ended') return
    this.#halt()
    this.#state = 'ended'
    this.#mailbox.clear()
    this.#onEnd()
  }

  crash(thrown: unknown): void {
    if (this.#state === 'ended') return
    this.#lastCrash = messageOf(thrown)
    const stack = thrown instanceof Error ? thrown.stack : undefined
    this.#host.log.error('actor crashed', { actor: this.ref.path, error: this.#lastCrash, stack })
    if (this.#onCrash === 'stop') return this.end()
    if (this.#onCrash === 'escalate') return this.#escalate(thrown)
    const { verdict, crashedAtMs } = judgeCrash(this.#crashedAtMs, this.#host.clock.monotonicMs())
    this.#crashedAtMs = crashedAtMs
    if (verdict.type === 'escalate') return this.#escalate(thrown)
    this.#halt()
    this.#state = 'waiting'
    this.#restartCount++
    const life = this.#life
    const cancel = this.#host.clock.after(verdict.afterMs, () => {
      this.#timers.delete(cancel)
      if (this.#life !== life || this.#state !== 'waiting') return
      this.#state = 'starting'
      this.#queue()
    })
    this.#timers.add(cancel)
  }

  *statuses(): Iterable<ActorStatus> {
    yield {
      path: this.ref.path,
      mailbox: this.#mailbox.size,
      mailboxMax: this.#mailbox.max,
      receivedCount: this.#receivedCount,
      droppedCount: this.#droppedCount,
      restartCount: this.#restartCount,
      lastCrash: this.#lastCrash,
    }
    for (const child of this.#children.values()) yield* child.statuses()
  }

  #begin(): void {
    this.#state = 'live'
    try {
      this.#behavior = this.#create()
      this.#behavior.start?.(this.#context)
    } catch (thrown) {
      this.crash(thrown)
    }
  }

  #accept(message: Message): void {
    if (this.#state === 'ended') return
    const admission = this.#mailbox.push(message)
    if (admission === 'dropped-new' || admission === 'dropped-oldest') this.#droppedCount++
    if (admission === 'overflow') {
      this.#droppedCount++
      return this.crash(new Error(`mailbox overflow: more than ${this.#mailbox.max} messages wait`))
    }
    if (this.#state === 'live') this.#queue()
  }

  #queue(): void {
    if (this.#isQueued) return
    this.#isQueued = true
    this.#host.enqueue(this)
  }

  #halt(): void {
    this.#life++
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    for (const child of [...this.#children.values()]) child.end()
    const behavior = this.#behavior
    this.#behavior = null
    try {
      behavior?.stop?.()
    } catch (thrown) {
      this.#host.log.error('actor failed to stop cleanly', { actor: this.ref.path, error: messageOf(thrown) })
    }
  }

  #escalate(thrown: unknown): void {
    this.end()
    if (this.#parent === null) this.#host.fatal(this.ref.path, thrown)
    else
      this.#parent.crash(new Error(`child ${this.ref.path} crashed: ${messageOf(thrown)}`, { cause: thrown }))
  }

  #spawn<Child>(name: string, create: () => Behavior<Child>, options: SpawnOptions): ActorRef<Child> {
    assert(this.#state !== 'ended', 'an actor that has ended spawns nothing')
    assert(!this.#children.has(name), `the name ${name} is taken below ${this.ref.path}`)
    const cell: Cell<Child> = new Cell(this.#host, this, `${this.ref.path}/${name}`, create, options, () => {
      this.#children.delete(name)
    })
    this.#children.set(name, cell)
    return cell.ref
  }

  #makeContext(path: string): Context<Message> {
    const { clock, random, log } = this.#host
    return {
      self: this.ref,
      log: log.child({ actor: path }),
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      random,
      after: (delayMs, message) => this.#after(delayMs, message),
      afterSending: message => {
        const life = this.#life
        this.#host.afterOthers(() => this.#deliver(life, () => message))
      },
      pipe: (work, succeeded, failed) => {
        const life = this.#life
        void work.then(
          value => this.#deliver(life, () => succeeded(value)),
          thrown => this.#deliver(life, () => failed(thrown)),
        )
      },
      spawn: (name, create, options = {}) => this.#spawn(name, create, options),
      stop: child => {
        if (child === undefined) return this.end()
        for (const cell of this.#children.values()) if (cell.ref === child) return cell.end()
      },
    }
  }

  /** What was asked for in an earlier life comes too late. */
  #deliver(life: number, message: () => Message): void {
    if (this.#life !== life) return
    try {
      this.#accept(message())
    } catch (thrown) {
      this.crash(thrown)
    }
  }

  #after(delayMs: number, message: Message): () => void {
    const cancel = this.#host.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      this.#accept(message)
    })
    this.#timers.add(cancel)
    return () => {
      this.#timers.delete(cancel)
      cancel()
    }
  }
}
