/** Everything the core asks of the world, as plain data. The shell carries it out; nothing here has to succeed. */
import type { Member, NodeId } from './member.ts'
import type { Message, Rumor } from './message.ts'

/**
 * What a timer was set for. Timers are never cancelled: each carries a sequence or token that no longer fits
 * when it is outdated. `dueMs` lets the core see that it was itself stalled.
 */
export type Timer =
  | { readonly type: 'probe-round'; readonly token: number; readonly dueMs: number }
  | { readonly type: 'direct-timeout'; readonly sequence: number; readonly dueMs: number }
  | { readonly type: 'probe-deadline'; readonly sequence: number; readonly dueMs: number }
  | { readonly type: 'relay-deadline'; readonly sequence: number; readonly dueMs: number }
  | {
      readonly type: 'suspicion-deadline'
      readonly id: NodeId
      readonly incarnation: number
      readonly token: number
      readonly dueMs: number
    }
  | {
      readonly type: 'testimony'
      readonly id: NodeId
      readonly incarnation: number
      readonly dueMs: number
    }
  | { readonly type: 'gossip-round'; readonly token: number; readonly dueMs: number }
  | { readonly type: 'sync-round'; readonly token: number; readonly dueMs: number }
  | { readonly type: 'revive-round'; readonly token: number; readonly dueMs: number }

/** What happened, in the past tense: for membership listeners, logs, metrics and transcripts. */
export type Fact =
  /** New to us, or back from suspect, dead or left; `before` is null when it was unknown. */
  | { readonly type: 'member-alive'; readonly member: Member; readonly before: Member['state'] | null }
  /** Same state, newer addresses or metadata; ourselves included. */
  | { readonly type: 'member-changed'; readonly member: Member }
  /** `confirmedBy`: nodes (perhaps ourselves) whose own probes failed and that told us so themselves. */
  | { readonly type: 'member-suspect'; readonly member: Member; readonly confirmedBy: readonly NodeId[] }
  | { readonly type: 'suspicion-confirmed'; readonly member: Member; readonly confirmedBy: readonly NodeId[] }
  | { readonly type: 'member-dead'; readonly member: Member; readonly confirmedBy: readonly NodeId[] }
  | { readonly type: 'member-left'; readonly member: Member }
  | { readonly type: 'member-expelled'; readonly id: NodeId }
  /** A member speaks of somebody who is not admitted here as of a living member: our roster may lag behind. Nothing changed. */
  | { readonly type: 'stranger-vouched'; readonly stranger: Member; readonly by: NodeId }
  /** Somebody held us suspect, dead, left, or remembered another life of ours; we answered with `incarnation`. */
  | {
      readonly type: 'self-refuted'
      readonly claim: Member['state']
      readonly from: NodeId
      readonly incarnation: number
    }
  | { readonly type: 'self-expelled' }
  /** No answer, neither directly nor through `helpers`. */
  | { readonly type: 'probe-failed'; readonly id: NodeId; readonly helpers: readonly NodeId[] }
  | { readonly type: 'awareness-changed'; readonly score: number }
  /** A timer came this late: this node stood still, so it postpones its verdicts once. */
  | { readonly type: 'stalled'; readonly lateMs: number }
  /** The first full state of another member has arrived. */
  | { readonly type: 'joined'; readonly through: NodeId }

export type Effects = {
  /** Point-to-point messages. Losing one is fine. */
  readonly send: readonly { readonly to: NodeId; readonly message: Message }[]
  /** Rumours for the pub/sub topic: only what this node saw itself. */
  readonly publish: readonly Rumor[]
  readonly timers: readonly { readonly afterMs: number; readonly timer: Timer }[]
  readonly facts: readonly Fact[]
}

const NOTHING: readonly never[] = []

/** Collects the effects of one step. Most steps have few, so each list is made when it is needed. */
export class Outbox {
  #send: { to: NodeId; message: Message }[] | null = null
  #publish: Rumor[] | null = null
  #timers: { afterMs: number; timer: Timer }[] | null = null
  #facts: Fact[] | null = null

  send(to: NodeId, message: Message): void {
    this.#send ??= []
    this.#send.push({ to, message })
  }

  publish(rumor: Rumor): void {
    this.#publish ??= []
    this.#publish.push(rumor)
  }

  /** Asks for the timer at its `dueMs`. */
  startTimer(timer: Timer, nowMs: number): void {
    this.#timers ??= []
    this.#timers.push({ afterMs: Math.max(0, timer.dueMs - nowMs), timer })
  }

  report(fact: Fact): void {
    this.#facts ??= []
    this.#facts.push(fact)
  }

  effects(): Effects {
    return {
      send: this.#send ?? NOTHING,
      publish: this.#publish ?? NOTHING,
      timers: this.#timers ?? NOTHING,
      facts: this.#facts ?? NOTHING,
    }
  }
}
