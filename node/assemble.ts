/**
 * Wires the actors of one node around its edges (transport, disk, runtime, time, dice), which are handed in: real ones
 * by `main.ts`, virtual ones by the simulator. What runs in production is what the simulator breaks.
 */
import { lan, type Member, type Options as SwimOptions } from '../gossip/index.ts'
import {
  type Author,
  type Cluster,
  departedOf,
  isEnded,
  type NodeFacts,
  type NodeId,
  type Outcome,
  type State,
} from '../scheduler/index.ts'
import type { ActorStatus } from './actor/actor.ts'
import { createActorSystem, type SystemOptions } from './actor/system.ts'
import { AGENT_SPAWN, type AgentMessage, agentActor } from './agent/agent.actor.ts'
import { endContainers } from './agent/end-containers.ts'
import type { Prober } from './agent/prober.ts'
import { announce } from './announce.ts'
import type { Clock } from './clock.ts'
import type { ConsensusOptions, RunningConsensus } from './consensus/create.ts'
import { createConsensus } from './consensus/create.ts'
import type { LogStore, SnapshotStore } from './consensus/storage.ts'
import { controllerActor } from './control/controller.actor.ts'
import { LOOK_MS, Measures } from './control/measures.ts'
import type { Seats } from './control/seat-words.ts'
import { Failure, messageOf } from './errors.ts'
import type { Log } from './log.ts'
import { createFarewells, FAREWELL_MS } from './membership/farewells.ts'
import { isSame, keptOf } from './membership/in-touch.ts'
import { peersOf, rememberedMember, rosterKeyOf, rosterOf, selfMember } from './membership/roster.ts'
import { type Membership, SWIM_SPAWN, swimActor } from './membership/swim.actor.ts'
import { createVouched } from './membership/vouched.ts'
import type { NodeRecord } from './record.ts'
import type { Runtime } from './runtime/runtime.ts'
import type { Transport } from './transport/transport.ts'

/** How this node came to its cluster. */
export type Origin =
  /** The first node: it founds the cluster. */
  | { readonly type: 'found'; readonly cluster: Cluster }
  /** Admitted by the log before it started, or resuming from its own disk. */
  | { readonly type: 'member'; readonly admission?: NodeRecord['admission'] }

export type NodeParts = {
  readonly id: NodeId
  readonly origin: Origin
  /** What this node says about itself when it founds, joins and comes back. */
  readonly facts: NodeFacts
  /** Where peers find it, best first; only the address in its facts when nothing is said. */
  readonly addresses?: readonly string[]
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Already started, or started by the caller right afterwards: its handlers are set here and looked up per message. */
  readonly transport: Transport
  readonly logStore: LogStore
  readonly snapshotStore: SnapshotStore
  readonly keepCopy?: (name: string) => Promise<string>
  readonly runtime: Runtime
  readonly prober: Prober
  /** Addresses of peers remembered from the disk or a join reply, for the time before the roster is known. */
  readonly knownPeers: ReadonlyMap<string, readonly string[]>
  /** Told whenever peers or their addresses may have changed, to remember them. */
  readonly rememberPeers: (peers: ReadonlyMap<string, readonly string[]>) => void
  readonly yieldTo?: NonNullable<SystemOptions['yieldTo']>
  readonly onFatal: (reason: string) => void
  /** By how much the wall clock is ahead of the peers'; null while that is not known. */
  readonly clockSkewMs?: () => number | null
  readonly consensusOptions?: ConsensusOptions
  /** How patient gossip is, by the number of members; `lan` when nothing is said. */
  readonly swimOptions?: (size: number) => SwimOptions
}

export type AssembledNode = {
  readonly id: NodeId
  readonly consensus: RunningConsensus
  members(): readonly Member[]
  actors(): readonly ActorStatus[]
  /** On the leader: why each node votes or does not, as phrases by node id; elsewhere of the last time it led. */
  seats(): Seats
  /** True once the own replica has caught up with the cluster since the start. */
  isReady(): boolean
  /** Resolves when that happens. */
  readonly ready: Promise<void>
  /** Moves the pods away, hands leadership over and says farewell. The node is to be stopped afterwards. */
  leave(by: Author): Promise<void>
  /** The cluster has said that this node is no member any more: it ends its containers, and asks to be stopped. */
  expelled(): void
  /** Hands leadership over and ends the actors; containers run on. */
  stop(): Promise<void>
}

const STOP_GRACE_MS = 10_000
const SUBMIT_TIMEOUT_MS = 10_000
const HANDOVER_TIMEOUT_MS = 2_000
const LEAVE_TIMEOUT_MS = 120_000
const EXPELLED =
  'this node is no member of its cluster any more, and has ended its pods; to join again, move its data directory away and start it with a join token'

export const assembleNode = async (parts: NodeParts): Promise<AssembledNode> => {
  const { id, clock, transport, log } = parts
  const system = createActorSystem({
    clock,
    random: parts.random,
    log,
    onFatal: (path, thrown) => parts.onFatal(`${path}: ${String(thrown)}`),
    ...(parts.yieldTo === undefined ? {} : { yieldTo: parts.yieldTo }),
  })
  let membership: Membership | null = null
  let isReady = false
  const { promise: ready, resolve: becomeReady } = Promise.withResolvers<void>()
  let isStopped = false

  const consensus = await createConsensus({
    system,
    transport,
    clock,
    random: parts.random,
    log,
    logStore: parts.logStore,
    snapshotStore: parts.snapshotStore,
    ...(parts.keepCopy === undefined ? {} : { keepCopy: parts.keepCopy }),
    id,
    bootstrap: parts.origin.type === 'found',
    options: parts.consensusOptions ?? {},
  })

  const measures = new Measures()
  const selfNow = (): Member => {
    const member = selfMember(parts.facts, parts.addresses)
    return {
      ...member,
      metadata: { ...member.metadata, ...measures.metadata() },
    }
  }
  const vouched = createVouched()
  const swim = swimActor({
    options: parts.swimOptions ?? lan,
    transport,
    self: selfNow,
    roster: () => rosterOf(consensus.state(), id),
    known: () => [...parts.knownPeers].map(([peer, addresses]) => rememberedMember(peer, addresses)),
    listener: (next, facts) => {
      membership = next
      vouched.hear(facts, clock.monotonicMs())
      readRoster(consensus.state())
      stayInTouch()
      controller?.send({ type: 'controller/MembersChanged' })
    },
  })
  const swimRef = system.spawn('swim', swim.create, SWIM_SPAWN)
  swim.listen(swimRef, transport)
  const members = (): readonly Member[] => membership?.members ?? []
  const tellMeasures = (): void => {
    if (isStopped) return
    const isNews = measures.look({
      nowMs: clock.monotonicMs(),
      size: members().length,
      diskMs: consensus.status().writes?.usualMs ?? null,
      skewMs: parts.clockSkewMs?.() ?? null,
    })
    if (isNews) swimRef.send({ type: 'swim/SetMetadata', metadata: selfNow().metadata })
    // Voters change without a word in the state.
    stayInTouch()
    clock.after(LOOK_MS, tellMeasures)
  }

  let seats = (): Seats => new Map()
  const controller = system.spawn('controller', () =>
    controllerActor({
      id,
      consensus,
      members,
      doubts: () => membership?.status.doubts ?? [],
      seed: () => Math.floor(parts.random() * 2 ** 32),
      tellSeats: told => {
        seats = told
      },
    }),
  )
  const createAgent = () =>
    agentActor({
      self: id,
      consensus,
      runtime: parts.runtime,
      prober: parts.prober,
      isReady: () => isReady,
      stopGraceMs: STOP_GRACE_MS,
    })
  const agent = system.spawn<AgentMessage>('agent', createAgent, AGENT_SPAWN)

  let isLeaving = false
  let isExpelled = false
  const expelled = (): void => {
    if (isLeaving || isExpelled || isStopped) return
    isExpelled = true
    log.error('this node is no member of its cluster any more: its pods are ended', {})
    system.stop(agent)
    void endContainers(parts.runtime, { graceMs: STOP_GRACE_MS, log }).then(() => parts.onFatal(EXPELLED))
  }

  let peerIds: ReadonlySet<string> = new Set()
  let kept: ReadonlySet<string> | null = null
  const stayInTouch = (): void => {
    const next = keptOf({ self: id, peers: peerIds, membership, voters: consensus.status().voters })
    if (isSame(next, kept)) return
    kept = next
    transport.keep(next)
  }

  let rosterKey: string | null = null
  const farewells = createFarewells()
  const readRoster = (state: State): void => {
    const strangers = vouched.peers(state, clock.monotonicMs())
    const leaving = farewells.peers(state, clock.monotonicMs())
    const heard = new Map(members().map(member => [member.id, member.addresses]))
    const key = [rosterKeyOf(state, heard), [...strangers.keys()].join(), [...leaving.keys()].join()].join(
      '\n',
    )
    if (key === rosterKey) return
    rosterKey = key
    // A timer may be a fraction of a millisecond early.
    if (leaving.size > 0) clock.after(FAREWELL_MS + 1, () => isStopped || readRoster(consensus.state()))
    const belonging = peersOf(state, { heard, known: parts.knownPeers }, id)
    const peers = new Map([...strangers, ...leaving, ...belonging])
    peers.delete(id)
    if (departedOf(state, id) !== null) expelled()
    peerIds = new Set(peers.keys())
    stayInTouch()
    transport.admit(peerIds)
    for (const [peer, addresses] of peers) if (addresses.length > 0) transport.setAddresses(peer, addresses)
    parts.rememberPeers(belonging)
    swimRef.send({ type: 'swim/RosterChanged' })
  }
  readRoster(consensus.state())
  tellMeasures()
  const unsubscribe = consensus.subscribe(change => readRoster(change.state))

  const greet = async (): Promise<void> => {
    const founded = parts.origin.type === 'found' ? parts.origin.cluster : null
    const admission = parts.origin.type === 'member' ? (parts.origin.admission ?? null) : null
    const isOver = () => isStopped
    const welcome = await announce({ consensus, facts: parts.facts, founded, admission, clock, log, isOver })
    if (welcome === 'left') return expelled()
    if (welcome === 'over') return
    if (welcome !== 'known') return parts.onFatal(`the cluster refused this node: ${welcome.message}`)
    isReady = true
    becomeReady()
    agent.send({ type: 'agent/Ready' })
  }
  void greet().catch((thrown: unknown) => parts.onFatal(messageOf(thrown)))

  const handOver = async (): Promise<void> => {
    const status = consensus.status()
    if (status.role !== 'leader' || status.voters.length < 2) return
    await consensus
      .transferLeadership({ timeoutMs: HANDOVER_TIMEOUT_MS })
      .catch((thrown: unknown) => log.warn('leadership could not be handed over', { error: String(thrown) }))
  }

  return {
    id,
    consensus,
    members,
    actors: () => system.statuses(),
    seats: () => seats(),
    isReady: () => isReady,
    ready,
    async leave(by) {
      const others = [...consensus.state().nodes.values()].filter(
        node => node.id !== id && node.state === 'alive',
      )
      if (others.length === 0) {
        throw new Failure('E_CONFLICT', {
          message: 'this is the last living node of its cluster',
          why: 'its work and its state would be lost',
          try: 'stop it with SIGTERM, or remove its workloads and its data directory',
        })
      }
      await submitted(
        consensus.submit(
          { type: 'node/Drain', atMs: clock.wallMs(), id },
          { timeoutMs: SUBMIT_TIMEOUT_MS, by },
        ),
      )
      await when(consensus, state => hasNoPods(state, id), {
        clock,
        timeoutMs: LEAVE_TIMEOUT_MS,
        what: 'its pods to move away',
      })
      await handOver()
      isLeaving = true
      const farewell = { type: 'node/Leave', atMs: clock.wallMs(), id } as const
      await submitted(consensus.submit(farewell, { timeoutMs: SUBMIT_TIMEOUT_MS, by })).catch(thrown => {
        isLeaving = false
        if (departedOf(consensus.state(), id) !== null) expelled()
        throw thrown
      })
      swimRef.send({ type: 'swim/Leave', replyTo: null })
    },
    expelled,
    async stop() {
      if (isStopped) return
      isStopped = true
      await handOver()
      unsubscribe()
      await consensus.stop()
      system.stop()
      await transport.stop()
      await parts.runtime.close()
    },
  }
}

const hasNoPods = (state: State, id: NodeId): boolean =>
  [...(state.podsByNode.get(id) ?? [])].every(pod => isEnded(state.pods.get(pod)?.state ?? 'stopped'))

/** A refusal becomes a Failure with the same code and text. */
const submitted = async (outcome: Promise<Outcome>): Promise<void> => {
  const result = await outcome
  if (!result.ok)
    throw new Failure(result.refusal.code, result.refusal.message, { facts: result.refusal.facts })
}

/** Resolves when the state is as wished; E_TIMEOUT otherwise. */
const when = (
  consensus: RunningConsensus,
  isSo: (state: State) => boolean,
  { clock, timeoutMs, what }: { readonly clock: Clock; readonly timeoutMs: number; readonly what: string },
): Promise<void> =>
  new Promise((resolve, reject) => {
    if (isSo(consensus.state())) return resolve()
    const end = consensus.subscribe(({ state }) => {
      if (!isSo(state)) return
      end()
      cancel()
      resolve()
    })
    const cancel = clock.after(timeoutMs, () => {
      end()
      reject(new Failure('E_TIMEOUT', `waited ${timeoutMs / 1_000} s in vain for ${what}`))
    })
  })
