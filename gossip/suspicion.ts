/** How long to doubt a member, who else doubts it, and the verdict when it does not refute (Lifeguard §IV.B). */
import type { Core, Suspicion } from './core.ts'
import { pass, rumorAbout } from './core.ts'
import type { Timer } from './effects.ts'
import type { Member, NodeId } from './member.ts'
import type { Rumor } from './message.ts'

/** Nodes that must have looked for themselves before a verdict; our own look counts for all. */
const WITNESSES_WANTED = 2

/** More add nothing to a suspicion, and need not be told: a cluster where all look at once must not be flooded. */
const ACCUSERS_MAX = 4

/** How many members look for themselves when they hear of a suspicion. */
const LOOKERS_WANTED = 6

/** From `maxMs` down to `minMs`, each further confirmation counting less than the one before. */
export function suspicionTimeoutMs(span: {
  readonly minMs: number
  readonly maxMs: number
  readonly wanted: number
  readonly confirmations: number
}): number {
  if (span.wanted <= 0) return span.minMs
  const share = Math.log(span.confirmations + 1) / Math.log(span.wanted + 1)
  return Math.max(span.minMs, span.maxMs - (span.maxMs - span.minMs) * share)
}

/**
 * What is held against a member. `accuser` is set when somebody's own probe failed and it says so itself; `isRefused`
 * when the member's host answered that nobody listens.
 */
export type Charge = {
  readonly claim: Member
  readonly by: NodeId
  readonly accuser: NodeId | null
  readonly isRefused: boolean
  readonly verdict: 'dead' | 'left'
}

/** Begins a suspicion or adds to it. The caller has checked that the claim is not outdated. */
export function suspect(core: Core, charge: Charge): void {
  const { claim } = charge
  const known = core.peers.get(claim.id)
  const running = core.suspicions.get(claim.id)
  if (known?.state === 'suspect' && running?.incarnation === claim.incarnation) {
    strengthen(core, known, running, charge)
  } else {
    begin(core, charge)
  }
}

function begin(core: Core, { claim, by, accuser, isRefused, verdict }: Charge): void {
  const member: Member = { ...claim, state: 'suspect' }
  const others = core.peers.aliveCount - (core.peers.get(claim.id)?.state === 'alive' ? 1 : 0)
  const suspicion: Suspicion = {
    incarnation: claim.incarnation,
    sinceMs: core.nowMs,
    wanted: Math.min(core.options.confirmationsWanted, others),
    by,
    accusers: accuser === null ? [] : [accuser],
    refused: accuser !== null && isRefused ? [accuser] : [],
    verdict,
    token: 0,
    hasGrace: false,
  }
  core.suspicions.set(claim.id, suspicion)
  core.peers.set(member)
  core.out.report({ type: 'member-suspect', member, confirmedBy: [...suspicion.accusers] })
  spread(core, member, accuser)
  startDeadline(core, member, core.nowMs + timeoutMs(core, suspicion))
  if (accuser !== core.self.id) lookForYourself(core, claim.id)
}

function strengthen(core: Core, member: Member, suspicion: Suspicion, charge: Charge): void {
  if (charge.verdict === 'left') suspicion.verdict = 'left'
  const { accuser } = charge
  const { accusers, refused } = suspicion
  if (accuser === null) return
  const isRefusal = charge.isRefused && !refused.includes(accuser)
  const isNew = !accusers.includes(accuser)
  if (!isNew && !isRefusal) return
  // Our own word counts for the verdict; of others there are enough.
  if (isNew && accusers.length >= ACCUSERS_MAX && accuser !== core.self.id) return
  if (isRefusal) refused.push(accuser)
  if (isNew) accusers.push(accuser)
  core.out.report({ type: 'suspicion-confirmed', member, confirmedBy: [...accusers] })
  if (accusers.length <= ACCUSERS_MAX) spread(core, member, accuser)
  startDeadline(core, member, suspicion.sinceMs + timeoutMs(core, suspicion))
}

/** Whoever finds a member dead after we have says so too: a leader that wants agreement counts all who have looked. */
export function testify(core: Core, { member, by }: Rumor, from: NodeId | null): void {
  const known = core.peers.get(member.id)
  const suspicion = core.suspicions.get(member.id)
  if (from === null || by !== from || from === member.id || known?.state !== 'dead') return
  if (member.state !== 'suspect' && member.state !== 'dead') return
  if (suspicion?.incarnation !== member.incarnation || suspicion.accusers.includes(from)) return
  if (suspicion.accusers.length >= ACCUSERS_MAX) return
  suspicion.accusers.push(from)
  core.out.report({ type: 'suspicion-confirmed', member: known, confirmedBy: [...suspicion.accusers] })
}

/** A suspicion's time is up. Stale deadlines, and those of members that refuted, change nothing. */
export function endSuspicion(
  core: Core,
  timer: Timer & { type: 'suspicion-deadline' },
  isLate: boolean,
): void {
  const suspicion = core.suspicions.get(timer.id)
  const known = core.peers.get(timer.id)
  if (suspicion?.token !== timer.token || known?.state !== 'suspect') return
  if (isLate && !suspicion.hasGrace) {
    // We stood still: the refutation may wait in our own sockets.
    const { goneMs, suspicionMinMs } = core.options
    suspicion.hasGrace = true
    return startDeadline(core, known, core.nowMs + (isGone(core, suspicion) ? goneMs : suspicionMinMs))
  }
  const graceMs = graceOf(core, known.id, suspicion)
  if (graceMs === 0) return declare(core, known, suspicion)
  core.probeSoon.add(timer.id)
  startDeadline(core, known, core.nowMs + graceMs)
}

/** For how long a verdict that is due has to wait, because the member speaks to us or too few have looked; else 0. */
function graceOf(core: Core, id: NodeId, suspicion: Suspicion): number {
  const { suspicionMinMs, probeDeadlineMs } = core.options
  const { accusers, sinceMs } = suspicion
  const silentMs = core.peers.silentMs(id, core.nowMs)
  // It speaks to us, so others' word is not enough: it will learn of the suspicion and refute it. What it said before
  // its host refused us is no sign of life. Rounded up: a remainder too small to move the clock would come back at once.
  const wantedMs = isGone(core, suspicion) ? core.nowMs - sinceMs : suspicionMinMs
  if (silentMs < wantedMs) return Math.ceil(Math.max(1, suspicionMinMs - silentMs))
  // One reporter may lie, or be the sick one: without a second we look for ourselves first.
  const isWitnessed = accusers.includes(core.self.id) || accusers.length >= WITNESSES_WANTED
  return isWitnessed ? 0 : Math.ceil(core.awareness.scale(probeDeadlineMs)) + 1
}

/** Its host says that nobody listens: to two of us, or to the only one there is to say so. */
const isGone = (core: Core, { refused, wanted }: Suspicion): boolean =>
  refused.length >= WITNESSES_WANTED || (wanted === 0 && refused.includes(core.self.id))

function declare(core: Core, known: Member, suspicion: Suspicion): void {
  const member: Member = { ...known, state: suspicion.verdict }
  core.peers.set(member)
  if (member.state === 'left') core.out.report({ type: 'member-left', member })
  else core.out.report({ type: 'member-dead', member, confirmedBy: [...suspicion.accusers] })
  // Everybody comes to its own verdict. Only what nobody else has witnessed has to be told.
  if (suspicion.accusers.length > 1) pass(core, rumorAbout(core, member), 'ride')
  else spread(core, member, core.self.id)
}

/** Only what we saw ourselves is published; what others told us they have published already. */
function spread(core: Core, member: Member, witness: NodeId | null): void {
  const rumor = rumorAbout(core, member)
  if (witness === core.self.id && rumor.by === core.self.id) {
    if (rumor.isRefused === true) testifySoon(core, member)
    else core.out.publish(rumor)
  }
  pass(core, rumor)
}

/** All that were connected to a process see its end at once, and a few of them are enough to tell everybody. */
function testifySoon(core: Core, { id, incarnation }: Member): void {
  const dueMs = core.nowMs + core.random() * core.options.goneMs
  core.out.startTimer({ type: 'testimony', id, incarnation, dueMs }, core.nowMs)
}

/** Publishes that we were refused, unless enough others have said the same meanwhile. */
export function testifyNow(core: Core, timer: Timer & { type: 'testimony' }): void {
  const suspicion = core.suspicions.get(timer.id)
  const known = core.peers.get(timer.id)
  if (suspicion?.incarnation !== timer.incarnation || known === undefined) return
  const others = suspicion.refused.filter(id => id !== core.self.id)
  if (others.length < WITNESSES_WANTED) core.out.publish(rumorAbout(core, known))
}

function startDeadline(core: Core, member: Member, dueMs: number): void {
  const suspicion = core.suspicions.get(member.id)
  if (suspicion === undefined) return
  suspicion.token = core.nextNumber++
  core.out.startTimer(
    {
      type: 'suspicion-deadline',
      id: member.id,
      incarnation: member.incarnation,
      token: suspicion.token,
      // A confirmation may leave no time at all. That is no sign that we stood still.
      dueMs: Math.max(dueMs, core.nowMs),
    },
    core.nowMs,
  )
}

function timeoutMs(core: Core, suspicion: Suspicion): number {
  const { suspicionMinMs, suspicionMaxMs, goneMs } = core.options
  const { wanted, accusers } = suspicion
  if (isGone(core, suspicion)) return goneMs
  const doubtMs = suspicionTimeoutMs({
    minMs: suspicionMinMs,
    maxMs: suspicionMaxMs,
    wanted,
    confirmations: Math.max(0, accusers.length - 1),
  })
  // Our own ill health says nothing against the word of enough others.
  const others = accusers.filter(id => id !== core.self.id).length
  return others > wanted ? doubtMs : core.awareness.scale(doubtMs)
}

/** A few of its neighbours, whatever the size of the cluster, probe the suspect at once: to clear it or to confirm. */
function lookForYourself(core: Core, id: NodeId): void {
  const { neighbours, isFullMesh } = core.peers
  if (!neighbours.has(id)) return
  // It has as many neighbours as we have, itself not being one of them.
  const others = isFullMesh ? neighbours.size - 1 : neighbours.size
  if (core.random() * others < LOOKERS_WANTED) core.probeSoon.add(id)
}
