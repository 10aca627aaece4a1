/**
 * What a claim changes in what we believe. Nobody's word alone ends a member: "dead", and "left" from a third party,
 * start a suspicion here, and the verdict is our own if the member does not refute in time.
 */
import type { Core } from './core.ts'
import { pass, rumorAbout } from './core.ts'
import {
  compareClaims,
  INCARNATION_LEAP_MAX,
  INCARNATION_MAX,
  isRunning,
  type Member,
  type NodeId,
} from './member.ts'
import type { Rumor } from './message.ts'
import { type Charge, suspect, testify } from './suspicion.ts'

/** Members told directly when we leave; the others hear it from them and from pub/sub. */
const FAREWELLS_MAX = 64

/** `from` is the authenticated teller, or null for what was read from disk. */
export function hear(core: Core, rumor: Rumor, from: NodeId | null): void {
  const claim = rumor.member
  if (claim.id === core.self.id) return hearAboutSelf(core, claim, from)
  const known = core.peers.get(claim.id)
  if (known === undefined) return vouch(core, claim, from)
  testify(core, rumor, from)
  if (compareClaims(claim, known) < 0) return correct(core, known, rumor, from)

  const isFirstHand = from === claim.id && rumor.by === claim.id
  if (from !== claim.id && claim.incarnation > known.incarnation + INCARNATION_LEAP_MAX) return
  switch (claim.state) {
    case 'alive':
      return believeAlive(core, claim, known)
    case 'left':
      if (isFirstHand) return believeEnd(core, claim, known)
      if (!isRunning(known)) return believeEnd(core, toldOf(known, claim), known)
      return suspect(core, { ...accusation(known, rumor, from), accuser: null, verdict: 'left' })
    case 'dead':
      if (!isRunning(known)) return believeEnd(core, toldOf(known, claim), known)
      return suspect(core, accusation(known, rumor, from))
    case 'suspect':
      return suspect(core, accusation(known, rumor, from))
  }
}

/** An accuser has no say in the addresses of a life that we know. */
const toldOf = (known: Member, claim: Member): Member =>
  claim.incarnation === known.incarnation ? { ...known, state: claim.state } : claim

/** The word of a third party, who is a member; strangers do not vouch for themselves. */
function vouch(core: Core, stranger: Member, from: NodeId | null): void {
  if (from === null || from === stranger.id || !isRunning(stranger)) return
  core.out.report({ type: 'stranger-vouched', stranger, by: from })
}

/** An accusation counts when the accuser says it itself. */
const accusation = (known: Member, { member, by, isRefused }: Rumor, from: NodeId | null): Charge => ({
  claim: toldOf(known, member),
  by,
  accuser: from !== null && by === from && from !== member.id ? from : null,
  isRefused: isRefused === true,
  verdict: 'dead',
})

function believeAlive(core: Core, claim: Member, known: Member): void {
  if (compareClaims(claim, known) === 0) return
  core.suspicions.delete(claim.id)
  core.peers.set(claim)
  pass(core, { member: claim, by: claim.id })
  if (known.state === 'alive') core.out.report({ type: 'member-changed', member: claim })
  else core.out.report({ type: 'member-alive', member: claim, before: known.state })
}

function believeEnd(core: Core, claim: Member, known: Member): void {
  if (compareClaims(claim, known) === 0) return
  if (claim.state === 'left') core.suspicions.delete(claim.id)
  core.peers.set(claim)
  pass(core, rumorAbout(core, claim))
  if (claim.state === 'left' && known.state !== 'left')
    core.out.report({ type: 'member-left', member: claim })
}

/** A subject that speaks of an older life than we remember, or that we hold dead, must learn it to refute. */
function correct(core: Core, known: Member, rumor: Rumor, from: NodeId | null): void {
  if (from !== known.id || rumor.by !== known.id) return
  core.out.send(from, { type: 'gossip', rumors: [rumorAbout(core, known)] })
}

function hearAboutSelf(core: Core, claim: Member, from: NodeId | null): void {
  const { self } = core
  if (self.state === 'left' || from === self.id) return
  const order = compareClaims(claim, self)
  if (order === 0) return
  if (claim.incarnation < self.incarnation) {
    // Outdated, but whoever holds us suspect or dead should be told.
    if (claim.state !== 'alive' && from !== null) tellAboutSelf(core, from)
    return
  }
  if (claim.incarnation + 1 >= INCARNATION_MAX) return
  core.self = { ...self, incarnation: claim.incarnation + 1 }
  // Lifeguard §IV.A: having to refute is a sign of our own slowness; being remembered from a former life is not.
  if (claim.state !== 'alive' && claim.incarnation === self.incarnation) core.awareness.worsen()
  core.out.report({
    type: 'self-refuted',
    claim: claim.state,
    from: from ?? self.id,
    incarnation: core.self.incarnation,
  })
  announceSelf(core)
  if (from !== null) tellAboutSelf(core, from)
}

/** Our own word about ourselves, to everybody. */
export function announceSelf(core: Core): void {
  const rumor: Rumor = { member: core.self, by: core.self.id }
  pass(core, rumor, 'press')
  core.out.publish(rumor)
}

/** Directly to some, so that they believe it at once. */
export function sayFarewell(core: Core): void {
  core.self = { ...core.self, state: 'left' }
  announceSelf(core)
  for (const { id } of core.peers.pickNear(FAREWELLS_MAX, isRunning)) tellAboutSelf(core, id)
  core.out.report({ type: 'member-left', member: core.self })
}

function tellAboutSelf(core: Core, to: NodeId): void {
  core.out.send(to, { type: 'gossip', rumors: [{ member: core.self, by: core.self.id }] })
}
