/** The state that the parts of the protocol share during one step. Owned by `Swim`; never leaves this folder. */
import type { Awareness } from './awareness.ts'
import type { Outbox } from './effects.ts'
import type { Input } from './input.ts'
import { isRunning, type Member, type NodeId } from './member.ts'
import type { Rumor } from './message.ts'
import type { Options } from './options.ts'
import type { Peers } from './peers.ts'
import type { Rumors } from './rumors.ts'

/** One member under suspicion, or declared dead after it. */
export type Suspicion = {
  readonly incarnation: number
  readonly sinceMs: number
  /** How many confirmations shorten it fully, given how many could confirm when it began. */
  readonly wanted: number
  /** Who vouched for it first; passed on with the rumour. */
  readonly by: NodeId
  /** Own probes failed, and told us so themselves. */
  readonly accusers: NodeId[]
  /** What the member is declared unless it refutes. */
  verdict: 'dead' | 'left'
  /** Those of them whose dial was refused: the host answers, the process does not. */
  readonly refused: NodeId[]
  /** Outdated deadlines carry an older token. */
  token: number
  /** A deadline that came late because we stood still has been postponed once. */
  hasGrace: boolean
}

/**
 * What becomes of the news of this step. `press`: rounds of gossip are held for them. `ride`: pub/sub brings them to
 * everybody, so they only ride on messages that are sent anyway, for those who missed them. `keep`: others know them.
 */
export type Spreading = 'press' | 'ride' | 'keep'

export type Core = {
  options: Options
  readonly random: () => number
  readonly peers: Peers
  readonly rumors: Rumors
  readonly awareness: Awareness
  readonly suspicions: Map<NodeId, Suspicion>
  /** Members to probe at the end of this step, out of turn. */
  readonly probeSoon: Set<NodeId>
  self: Member
  spreading: Spreading
  nowMs: number
  out: Outbox
  /** Source of tokens and sequences; starts at random so that answers to a former life do not fit. */
  nextNumber: number
}

/** Rumours for one message: first what `to` must know about itself to refute it, then what is being spread. */
export function rumorsFor(core: Core, to: NodeId): Rumor[] {
  const { options, peers, rumors } = core
  const repeatMax = options.retransmitFactor * Math.ceil(Math.log10(peers.runningCount + 2))
  const taken = rumors.take(to, { bytesMax: options.piggybackBytesMax, repeatMax })
  const known = peers.get(to)
  return known === undefined || known.state === 'alive' ? taken : [rumorAbout(core, known), ...taken]
}

/** A whole view is for one who knows nothing: to others it is no news. */
export function spreadingOf(input: Input): Spreading {
  if (input.type === 'rumorReceived') return 'ride'
  const isWholeView =
    input.type === 'receive' && input.message.type === 'sync' && input.message.parts === undefined
  return isWholeView || input.type === 'join' ? 'keep' : 'press'
}

export function pass(core: Core, rumor: Rumor, spreading: Spreading = core.spreading): void {
  if (spreading === 'keep') core.rumors.forget(rumor.member.id)
  else core.rumors.add(rumor, spreading === 'press')
}

/** A few neighbours, chosen at random, get what is being spread. */
export function gossipRound(core: Core): void {
  for (const { id } of core.peers.pickNear(core.options.gossipFanout, isRunning)) {
    const rumors = rumorsFor(core, id)
    if (rumors.length > 0) core.out.send(id, { type: 'gossip', rumors })
  }
}

/** What we believe of a member, with the one who vouches for it: ourselves where we saw it ourselves. */
export function rumorAbout(core: Core, member: Member): Rumor {
  const suspicion = core.suspicions.get(member.id)
  if (suspicion === undefined || member.state === 'alive') return { member, by: member.id }
  if (!suspicion.accusers.includes(core.self.id)) return { member, by: suspicion.by }
  const isRefused = suspicion.refused.includes(core.self.id)
  return { member, by: core.self.id, ...(isRefused ? { isRefused } : {}) }
}
