/**
 * The actor's shape: one mailbox, one message at a time. `receive` is synchronous; async work is piped back as a
 * message, so no state changes across an await and a simulator owns all ordering.
 */
import type { Log } from '../log.ts'

/** Where to send messages. Sending never blocks and never throws; the mailbox's overflow rule decides when full. */
export type ActorRef<Message> = {
  readonly path: string
  send(message: Message): void
}

export type Context<Message> = {
  readonly self: ActorRef<Message>
  readonly log: Log
  /** Milliseconds since the epoch. */
  wallMs(): number
  /** Milliseconds that never go back. */
  monotonicMs(): number
  /** 0 ≤ x < 1. */
  random(): number
  /** Delivers `message` to this actor after `delayMs`; the returned function cancels. All timers end with the actor. */
  after(delayMs: number, message: Message): () => void
  /**
   * Delivers `message` to this actor once what this turn sends to other nodes has left: for work that nobody far away
   * waits for. Dropped when the actor has ended or restarted by then.
   */
  afterSending(message: Message): void
  /** Delivers what becomes of `work` as one message. Results for an actor that has ended or restarted are dropped. */
  pipe<T>(work: Promise<T>, succeeded: (value: T) => Message, failed: (thrown: unknown) => Message): void
  /** Starts a child; its path is below this actor's. It stops when its parent stops. Names are unique among live siblings. */
  spawn<Child>(name: string, create: () => Behavior<Child>, options?: SpawnOptions): ActorRef<Child>
  /** Stops a child, or this actor when no child is named. */
  stop(child?: ActorRef<never>): void
}

export type Behavior<Message> = {
  /** Before the first message, and again after each restart. */
  start?(ctx: Context<Message>): void
  receive(message: Message, ctx: Context<Message>): void
  /** Once, when the actor ends or before it restarts. Must not throw. */
  stop?(): void
}

/** What a full mailbox does with one more message: drop the oldest waiting, drop the new one, or treat it as a bug and crash the actor. */
export type OverflowRule = 'drop-oldest' | 'drop-new' | 'crash'

export type SpawnOptions = {
  /** Default 1,024. */
  readonly mailboxMax?: number
  /** Default `crash`: for actors whose senders are bounded by design. */
  readonly overflow?: OverflowRule
  /** `restart` (default): with back-off, and up a level after RESTARTS_PER_MINUTE_MAX. `stop`: end it. `escalate`: fail the parent. */
  readonly onCrash?: 'restart' | 'stop' | 'escalate'
}

/** Counters of one live actor, for `tutti actors`. */
export type ActorStatus = {
  readonly path: string
  readonly mailbox: number
  readonly mailboxMax: number
  readonly receivedCount: number
  readonly droppedCount: number
  readonly restartCount: number
  readonly lastCrash: string | null
}
