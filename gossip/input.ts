/** Everything that may be told to the core. `nowMs` is a monotonic clock of this node; its origin does not matter. */
import type { Timer } from './effects.ts'
import type { Member, NodeId } from './member.ts'
import type { Message, Rumor } from './message.ts'
import type { Options } from './options.ts'

export type Input =
  /** Begin to probe and to gossip. Also returns a node that had left. */
  | { readonly type: 'start'; readonly nowMs: number }
  /** A message from an authenticated peer; pass it through `isMessage` first. */
  | { readonly type: 'receive'; readonly nowMs: number; readonly from: NodeId; readonly message: Message }
  /** A rumour from the pub/sub topic; `from` is its authenticated first publisher. Pass it through `isRumor` first. */
  | { readonly type: 'rumorReceived'; readonly nowMs: number; readonly from: NodeId; readonly rumor: Rumor }
  /** A timer that was asked for in `Effects.timers`. A late, repeated or outdated one is harmless. */
  | { readonly type: 'timerFired'; readonly nowMs: number; readonly timer: Timer }
  /** Known members, from a join reply or from disk. They are admitted, and asked for their full state. */
  | { readonly type: 'join'; readonly nowMs: number; readonly members: readonly Member[] }
  /** Say farewell. Nothing is probed or answered afterwards. */
  | { readonly type: 'leave'; readonly nowMs: number }
  | { readonly type: 'setAddresses'; readonly nowMs: number; readonly addresses: readonly string[] }
  | {
      readonly type: 'setMetadata'
      readonly nowMs: number
      readonly metadata: Readonly<Record<string, string>>
    }
  /** The cluster has grown or shrunk: what begins from now on takes these times. `awarenessMax` stays as it was. */
  | { readonly type: 'setOptions'; readonly nowMs: number; readonly options: Options }
  /** A hint of the transport, not a verdict: that peer is probed at once. */
  | { readonly type: 'peerDisconnected'; readonly nowMs: number; readonly id: NodeId }
  /** A hint of the transport: a peer that is not held alive is asked for its state at once, so partitions heal. */
  | { readonly type: 'peerConnected'; readonly nowMs: number; readonly id: NodeId }
  /** The transport could not deliver to that peer (refused, no route): a probe of it need not wait for its timeout. */
  | { readonly type: 'peerUnreachable'; readonly nowMs: number; readonly id: NodeId }
  /** The roster in the log lists this node. Held alive until probes say otherwise. Repeating it changes nothing. */
  | {
      readonly type: 'admit'
      readonly nowMs: number
      readonly id: NodeId
      readonly addresses: readonly string[]
      readonly metadata: Readonly<Record<string, string>>
    }
  /** The roster no longer lists this node: it is forgotten, and claims about it are ignored. */
  | { readonly type: 'expel'; readonly nowMs: number; readonly id: NodeId }
