/**
 * Which form of the log each member's program speaks. Two neighbouring forms may be in one cluster, so that it can be upgraded
 * node by node; what only the newer one can read is written once nobody is left who cannot. Pure.
 */
import type { Refusal } from './commands.ts'
import type { State } from './state.ts'

/** Of this program. Raise it together with a new command, or a new meaning of an old one, and name that in FEATURES. */
export const PROTOCOL = 2

/** From which form on something may be written. */
const FEATURES = {
  /** `node/Verdict` counts losses, and a node that is lost again and again is on probation when it is back. */
  probation: 2,
  /** `node/Drain` by the leader, with a reason. */
  healthDrain: 2,
  /** `cluster/SetZoneLoss`. */
  zoneLoss: 2,
  /** Who asked for an entry, and `audit/Note`. */
  audit: 2,
  /** A namespace before the name of a workload; a token that is bound to one, or has permissions of its own. */
  namespaces: 2,
} as const

type Feature = keyof typeof FEATURES

/** Programs from before there was a number name none. */
export const protocolOf = ({ protocol }: { readonly protocol?: number }): number => protocol ?? 1

type Roster = Pick<State, 'nodes'>

/** What every member understands, the dead ones included. It never falls: whoever speaks less is not let in any more. */
export const protocolLevel = ({ nodes }: Roster): number => {
  let level = Number.POSITIVE_INFINITY
  for (const node of nodes.values()) if (node.state !== 'left') level = Math.min(level, protocolOf(node))
  return Number.isFinite(level) ? level : 1
}

/** Whether all members understand it. Whoever proposes something asks first. */
export const mayUse = (state: Roster, feature: Feature): boolean => protocolLevel(state) >= FEATURES[feature]

type Claim = { readonly id: string; readonly protocol?: number }

/** Why a node that speaks this form cannot be with the present members; null when it can. */
export const judgeProtocol = (state: Roster, claim: Claim): Refusal | null => {
  const own = protocolOf(claim)
  const level = protocolLevel(state)
  const facts = { protocol: own, level }
  if (own < level)
    return {
      code: 'E_VERSION',
      message: `it speaks protocol ${own} and every member ${level} or newer, which it would not understand; install the version that the members run`,
      facts,
    }
  for (const node of state.nodes.values()) {
    if (node.state === 'left' || node.id === claim.id || own - protocolOf(node) <= 1) continue
    return {
      code: 'E_VERSION',
      message: `it speaks protocol ${own} and node ${node.name} still ${protocolOf(node)}; only neighbours understand each other: upgrade one version at a time`,
      facts: { ...facts, node: node.name },
    }
  }
  return null
}
