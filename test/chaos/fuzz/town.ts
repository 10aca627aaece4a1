/**
 * Three voters and a learner on virtual time, with agreement and gossip as in production, on a network that records what
 * they say. The learner is the one that will say what is broken: a member, so everything of it is listened to.
 */
import { type Fact, lan, type Member } from '../../../gossip/index.ts'
import { encodeRequest } from '../../../node/consensus/request.ts'
import { SWIM_SPAWN, swimActor } from '../../../node/membership/swim.actor.ts'
import type { MemoryTransport } from '../../../node/transport/memory-transport.ts'
import type { Channel } from '../../../node/transport/transport.ts'
import { type Command, type NodeId, snapshotOf } from '../../../scheduler/index.ts'
import { createCluster, tokenCommand, type World } from '../../unit/consensus/world.ts'

export type Spoken = Channel | 'rumors'
export type Recorded = ReadonlyMap<Spoken, readonly unknown[]>

export type Town = {
  readonly recorded: Recorded
  /** In the learner's name, to all the others. */
  say(kind: Spoken, message: unknown): void
  pass(ms: number): Promise<void>
  /** What must not change: the log, its configuration, and who is believed to live. */
  picture(): string
  /** Whether a write still goes through, and nobody is under suspicion. */
  isWell(): Promise<boolean>
}

const VOTERS = ['a', 'b', 'c'] as const
const LIAR = 'd'
const RECORDED_MAX = 400

export const foundTown = async (): Promise<Town> => {
  const world = await createCluster(VOTERS)
  const liar = await world.start(LIAR)
  const { consensus } = world.leader()
  await world.settle(consensus.changeConfiguration({ voters: VOTERS, learners: [LIAR] }))
  const recorded = new Map<Spoken, unknown[]>()
  for (const { transport } of world.nodes.values()) listenIn(transport, recorded)
  const views = new Map([...world.nodes.keys()].map(id => [id, gossipOn(world, id)]))
  for (let count = 0; count < 20; count++) await world.settle(submit(world))
  await world.pass(20_000)
  const alive = () =>
    VOTERS.flatMap(id => (views.get(id)?.() ?? []).map(member => `${id} ${member.id} ${member.state}`))
  recorded.set('propose', [...withForbidden(recorded.get('propose') ?? [])])
  return {
    recorded,
    say(kind, message) {
      if (kind === 'rumors') liar.transport.publish('rumors', message)
      else for (const id of VOTERS) liar.transport.send(id, kind, message)
    },
    pass: ms => world.pass(ms),
    picture: () =>
      JSON.stringify([
        VOTERS.map(id => {
          const node = world.nodes.get(id)
          const status = node?.consensus.status()
          // An election, which anybody may cause, is an entry of its own: it changes the index and nothing else.
          const state =
            node === undefined ? null : { ...snapshotOf(node.consensus.state()), index: 0, term: 0 }
          return [state, status?.voters, status?.learners]
        }),
        alive(),
      ]),
    async isWell() {
      const outcome = await world.settle(submit(world))
      await world.pass(1_000)
      return outcome.ok && alive().every(line => line.endsWith(' alive'))
    },
  }
}

/** Through a follower, which asks the leader. */
const submit = (world: World) => {
  const asker = [...world.nodes.values()].find(({ id }) => id !== LIAR && id !== world.leader().id)
  if (asker === undefined) throw new Error('nobody follows')
  return asker.consensus.submit(tokenCommand(), { timeoutMs: 20_000 })
}

/** A member may say much. What it may not say must not get through, however broken. */
const FORBIDDEN: readonly Command[] = [
  { type: 'node/Verdict', atMs: 1, id: 'b' as NodeId, state: 'dead', reason: 'so I say' },
  { type: 'plan/Apply', atMs: 1, plan: { basedOnIndex: 1, changes: [] } },
]

const withForbidden = (asked: readonly unknown[]): readonly unknown[] =>
  asked.map((ask, at) => {
    const command = FORBIDDEN[at % FORBIDDEN.length] as Command
    return { ...(ask as object), data: encodeRequest({ requestId: `forged ${at}`, command }) }
  })

const listenIn = (transport: MemoryTransport, recorded: Map<Spoken, unknown[]>): void => {
  const keep = (kind: Spoken, message: unknown): void => {
    const kept = recorded.get(kind) ?? []
    recorded.set(kind, kept)
    if (kept.length < RECORDED_MAX) kept.push(structuredClone(message))
  }
  const send = transport.send.bind(transport)
  const publish = transport.publish.bind(transport)
  transport.send = (to, channel, message) => {
    keep(channel, message)
    return send(to, channel, message)
  }
  transport.publish = (topic, message) => {
    keep(topic, message)
    publish(topic, message)
  }
}

/** Starts the node's detector; the returned function tells whom it believes in. */
const gossipOn = (world: World, id: string): (() => readonly Member[]) => {
  const node = world.nodes.get(id)
  if (node === undefined) throw new Error(`there is no node ${id}`)
  const memberOf = (name: string): Member => ({
    id: name,
    incarnation: 0,
    state: 'alive',
    addresses: [`10.0.0.${1 + ['a', 'b', 'c', 'd'].indexOf(name)}:7701`],
    metadata: { name },
  })
  let members: readonly Member[] = []
  const others = [...world.nodes.keys()].filter(name => name !== id).map(memberOf)
  const swim = swimActor({
    options: lan,
    transport: node.transport,
    self: () => memberOf(id),
    roster: () => others.map(other => ({ ...other, isAdmitted: true })),
    known: () => [],
    listener: (membership, _facts: readonly Fact[]) => {
      members = membership.members
    },
  })
  swim.listen(node.system.spawn('swim', swim.create, SWIM_SPAWN), node.transport)
  return () => members
}
