/** Full-state exchange (push-pull): on joining, now and then with a live member, and with a dead one to heal partitions. */
import { hear } from './claims.ts'
import { type Core, rumorAbout } from './core.ts'
import type { NodeId } from './member.ts'
import type { Rumor } from './message.ts'

/** Members asked at once when joining: more than one, so that a dead seed costs no time. */
const JOIN_PARTNERS = 3

/** Sends our whole view and asks for the partner's. */
export function askForSync(core: Core, partner: NodeId): void {
  core.out.send(partner, { type: 'sync', wantsReply: true, rumors: wholeView(core, partner) })
}

export function askToJoin(core: Core): void {
  for (const { id } of core.peers.pick(JOIN_PARTNERS, () => true)) askForSync(core, id)
}

/** One random live member, to repair what rumours missed. */
export function syncWithLive(core: Core): void {
  for (const { id } of core.peers.pick(1, member => member.state === 'alive')) askForSync(core, id)
}

/** One random dead member: after a partition both sides hold each other dead, and nobody probes the dead. */
export function syncWithDead(core: Core): void {
  for (const { id } of core.peers.pick(1, member => member.state === 'dead')) askForSync(core, id)
}

export function receiveSync(
  core: Core,
  from: NodeId,
  sync: { readonly wantsReply: boolean; readonly rumors: readonly Rumor[] },
): void {
  for (const rumor of sync.rumors) hear(core, rumor, from)
  if (!sync.wantsReply) return
  core.out.send(from, { type: 'sync', wantsReply: false, rumors: wholeView(core, from) })
}

/** What the partner must know about itself comes first. */
function wholeView(core: Core, partner: NodeId): Rumor[] {
  const others = core.peers.all().map(member => rumorAbout(core, member))
  const aboutPartner = others.filter(rumor => rumor.member.id === partner)
  const rest = others.filter(rumor => rumor.member.id !== partner)
  return [...aboutPartner, { member: core.self, by: core.self.id }, ...rest]
}
