/** On the leader: watches the nodes. Commits verdicts about their life and death, and keeps the right ones voting. */
import type { Doubt, Member } from '../../gossip/index.ts'
import { mayUse, type Node, type NodeId, zoneLossMsOf } from '../../scheduler/index.ts'
import type { Behavior, Context } from '../actor/actor.ts'
import type { Consensus, ConsensusStatus, Follower } from '../consensus/consensus.ts'
import { messageOf } from '../errors.ts'
import { Brake } from './brake.ts'
import { Contacts } from './contact.ts'
import { diskMsOf } from './disk-word.ts'
import { heirOf } from './heir.ts'
import {
  type Candidate,
  chooseVoters,
  KEEPER_POLICY,
  type KeeperInput,
  type KeeperPolicy,
} from './quorum-keeper.ts'
import { type Seats, seatsOf } from './seat-words.ts'
import { judge, staleAfterMs, type Verdict, type Witnessed } from './verdicts.ts'

export type WardenDeps = {
  readonly id: string
  readonly consensus: Pick<
    Consensus,
    'state' | 'status' | 'submit' | 'changeConfiguration' | 'transferLeadership'
  >
  readonly members: () => readonly Member[]
  readonly doubts: () => readonly Doubt[]
  readonly policy?: Partial<KeeperPolicy>
  /** Given anew with each look: why each node votes or does not, for whoever asks. */
  readonly tellSeats?: (seats: () => Seats) => void
}

export type WardenMessage =
  | { readonly type: 'warden/Look' }
  | { readonly type: 'warden/LookOnce' }
  /** Gossip changed its mind about somebody. */
  | { readonly type: 'warden/MembersChanged' }
  | { readonly type: 'warden/Judged'; readonly id: string }
  | { readonly type: 'warden/Changed' }

type Sources = {
  readonly follower: Follower | undefined
  readonly member: Member | undefined
  readonly commitIndex: number
  readonly nowMs: number
}

const LOOK_MS = 100
/** Gossip's news come in bursts. */
const GATHER_MS = 5
/** A voter that Raft has not heard for so long is out of touch, whatever gossip says: it is of no use to the quorum. */
const CONTACT_LOST_MS = 1_000
const UNKNOWN_GRACE_MS = 10_000
/** A new leader knows its nodes one by one, as they answer: the first few are not chosen for being the first. */
const HEARING_MS = 1_000
const SUBMIT_TIMEOUT_MS = 5_000
const TRANSFER_TIMEOUT_MS = 2_000
/** Writes wait while leadership is handed over: an heir that did not come up to it is not tried again at once. */
const HANDOVER_RETRY_MS = 10_000
/** The node label that names its failure domain. */
const ZONE_LABEL = 'zone'

export const wardenActor = (deps: WardenDeps): Behavior<WardenMessage> => {
  const { id, consensus } = deps
  const policy = { ...KEEPER_POLICY, ...deps.policy }
  const contacts = new Contacts(policy)
  const judging = new Set<string>()
  const brake = new Brake()
  /** By node id: why its death is not declared yet. */
  let held: ReadonlyMap<string, string> = new Map()
  let isChanging = false
  let isLookDue = false
  let leadingSinceMs = 0
  let handoverDueMs = 0

  const pronounce = (verdict: Verdict, ctx: Context<WardenMessage>): void => {
    if (judging.has(verdict.id)) return
    judging.add(verdict.id)
    ctx.log.info('verdict', { ...verdict })
    const isCounted = verdict.state === 'dead' && mayUse(consensus.state(), 'probation')
    const command = {
      type: 'node/Verdict',
      atMs: ctx.wallMs(),
      id: verdict.id as NodeId,
      state: verdict.state,
      reason: verdict.reason,
      ...(isCounted ? { counted: true as const } : {}),
    } as const
    ctx.pipe(
      consensus.submit(command, { timeoutMs: SUBMIT_TIMEOUT_MS }),
      () => ({ type: 'warden/Judged', id: verdict.id }),
      thrown => {
        ctx.log.debug('verdict not written', { id: verdict.id, reason: messageOf(thrown) })
        return { type: 'warden/Judged', id: verdict.id }
      },
    )
  }

  /** What is known of a node; `follower` and `member` as Raft and gossip know it. */
  const candidate = (node: Node, { follower, member, commitIndex, nowMs }: Sources): Candidate => {
    const isSelf = node.id === id
    const silentMs = follower?.lastContactMs ?? Number.POSITIVE_INFINITY
    const isAlive = isSelf || silentMs < staleAfterMs(CONTACT_LOST_MS, follower?.contactEveryMs ?? 0)
    return {
      id: node.id,
      zone: zoneOf(node),
      ...contacts.note(node.id, { isAlive, silentMs, nowMs }),
      lag: isSelf ? 0 : lagOf(follower, commitIndex),
      diskMs: diskMsOf(member),
      isDrained: !node.schedulable,
    }
  }

  /** Runs `work` as the one change under way. */
  const change = (work: Promise<void>, ctx: Context<WardenMessage>): void => {
    isChanging = true
    ctx.pipe(
      work,
      () => ({ type: 'warden/Changed' }),
      thrown => {
        ctx.log.debug('membership not changed', { reason: messageOf(thrown) })
        return { type: 'warden/Changed' }
      },
    )
  }

  const keepQuorum = (status: ConsensusStatus, ctx: Context<WardenMessage>): void => {
    const nowMs = ctx.monotonicMs()
    const nodes = [...consensus.state().nodes.values()].filter(node => node.state !== 'left')
    const followers = new Map(status.followers.map(follower => [follower.id, follower]))
    const members = new Map(deps.members().map(member => [member.id, member]))
    const { voters, learners, commitIndex } = status
    const roster = nodes.map(node =>
      candidate(node, {
        follower: followers.get(node.id),
        member: members.get(node.id),
        commitIndex,
        nowMs,
      }),
    )
    contacts.keepOnly(new Set(roster.map(one => one.id)))
    const votersMax = consensus.state().cluster?.votersMax ?? policy.votersMax
    const input: KeeperInput = {
      self: id,
      roster,
      configuration: { voters, learners },
      policy: { ...policy, votersMax },
      nowMs,
    }
    const waiting = held
    deps.tellSeats?.(() => withHolds(seatsOf(input), waiting))
    if (isChanging || status.isJoint || roster.length === 0) return
    const reluctant = new Set(status.followers.filter(one => one.isReluctant).map(one => one.id))
    const heir = heirOf(roster, { self: id, voters, reluctant })
    if (heir !== null && nowMs >= handoverDueMs) {
      handoverDueMs = nowMs + HANDOVER_RETRY_MS
      return change(consensus.transferLeadership({ to: heir, timeoutMs: TRANSFER_TIMEOUT_MS }), ctx)
    }
    const isUnheard = (one: Candidate): boolean =>
      !Number.isFinite(one.lag) && followers.has(one.id) && members.get(one.id)?.state === 'alive'
    if (nowMs - leadingSinceMs < HEARING_MS && roster.some(isUnheard)) return
    const target = chooseVoters(input)
    if (target === null) return
    ctx.log.info('membership changes', { from: voters, to: target.voters, learners: target.learners })
    change(consensus.changeConfiguration(target), ctx)
  }

  /** Since when this leader knows of nodes that have not spoken as members yet. */
  const unspoken = new Map<string, number>()
  const unspokenMs = (node: Node, nowMs: number): number | undefined => {
    if (node.hasLog === true || node.state === 'left') {
      unspoken.delete(node.id)
      return undefined
    }
    const sinceMs = unspoken.get(node.id) ?? nowMs
    unspoken.set(node.id, sinceMs)
    return nowMs - sinceMs
  }

  /** Every node of the roster as gossip, Raft and the log see it. */
  const witnessed = (status: ConsensusStatus, nowMs: number): readonly Witnessed[] => {
    const gossip = new Map(deps.members().map(member => [member.id, member.state]))
    const doubts = new Map(deps.doubts().map(doubt => [doubt.id, doubt]))
    const contact = new Map(status.followers.map(follower => [follower.id, follower]))
    return [...consensus.state().nodes.values()].map(node => {
      const doubt = doubts.get(node.id)
      // The leader hears itself: one that was held dead when it was elected must not stay so.
      const isSelf = node.id === id
      const silentMs = unspokenMs(node, nowMs)
      return {
        ...(silentMs === undefined ? {} : { unspokenMs: silentMs }),
        id: node.id,
        name: node.name,
        zone: zoneOf(node),
        state: node.state,
        gossip: isSelf ? 'alive' : (gossip.get(node.id) ?? null),
        accusers: doubt?.confirmedBy ?? [],
        doubtedMs: doubt === undefined ? null : nowMs - doubt.sinceMs,
        contactMs: isSelf ? 0 : (contact.get(node.id)?.lastContactMs ?? null),
        contactEveryMs: contact.get(node.id)?.contactEveryMs ?? 0,
      }
    })
  }

  const look = (ctx: Context<WardenMessage>): void => {
    const status = consensus.status()
    if (status.role !== 'leader') return
    const nowMs = ctx.monotonicMs()
    const nodes = witnessed(status, nowMs)
    const { hasQuorum, unfit } = status
    const leadingMs = nowMs - leadingSinceMs
    const braked = brake.judge({
      self: id,
      nodes,
      verdicts: judge(nodes, { self: id, leadingMs, hasQuorum, unknownGraceMs: UNKNOWN_GRACE_MS }),
      isSound: hasQuorum && unfit !== 'loop',
      zoneLossMs: zoneLossMsOf(consensus.state().cluster),
      nowMs,
    })
    for (const [node, reason] of braked.held)
      if (!held.has(node)) ctx.log.warn('a verdict waits', { id: node, reason })
    held = braked.held
    for (const verdict of braked.due) pronounce(verdict, ctx)
    keepQuorum(status, ctx)
  }

  return {
    start(ctx) {
      leadingSinceMs = ctx.monotonicMs()
      ctx.self.send({ type: 'warden/Look' })
    },
    receive(message, ctx) {
      switch (message.type) {
        case 'warden/Look':
          ctx.after(LOOK_MS, { type: 'warden/Look' })
          return look(ctx)
        case 'warden/MembersChanged':
          if (!isLookDue) ctx.after(GATHER_MS, { type: 'warden/LookOnce' })
          isLookDue = true
          return
        case 'warden/LookOnce':
          isLookDue = false
          return look(ctx)
        case 'warden/Judged':
          return void judging.delete(message.id)
        case 'warden/Changed':
          isChanging = false
          return
      }
    },
  }
}

const zoneOf = (node: Node): string | null => node.labels[ZONE_LABEL] ?? null

/** What keeps a silent node from being declared dead is of more interest than its seat. */
const withHolds = (seats: Seats, held: ReadonlyMap<string, string>): Seats =>
  new Map([...seats].map(([node, words]) => [node, held.get(node) ?? words]))

/** One that has confirmed nothing to this leader yet may not even run: a new leader hears of it first. */
const lagOf = (follower: Follower | undefined, commitIndex: number): number =>
  follower === undefined || follower.match === 0
    ? Number.POSITIVE_INFINITY
    : Math.max(0, commitIndex - follower.match)
