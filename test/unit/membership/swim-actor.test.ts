import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fact, lan, type Member } from '../../../gossip/index.ts'
import type { ActorRef } from '../../../node/actor/actor.ts'
import { createActorSystem } from '../../../node/actor/system.ts'
import { decode, encode } from '../../../node/codec.ts'
import { type Fields, type Log, silentLog } from '../../../node/log.ts'
import {
  type Membership,
  type RosterEntry,
  SWIM_SPAWN,
  type SwimMessage,
  swimActor,
} from '../../../node/membership/swim.actor.ts'
import type { PeerEvent, Transport } from '../../../node/transport/transport.ts'
import { prng } from '../../harness/prng.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const DELIVERY_MS = 2

type Handlers = {
  message: (from: string, message: unknown) => void
  published: (from: string, message: unknown) => void
  peer: (event: PeerEvent) => void
}

type Peer = {
  readonly id: string
  readonly swim: ActorRef<SwimMessage>
  readonly handlers: Handlers
  readonly addresses: Map<string, readonly string[]>
  readonly facts: Fact[]
  readonly warnings: string[]
  roster: RosterEntry[]
  view: Membership | null
  /** The sizes of the cluster that options were asked for. */
  readonly sizes: number[]
}

const listed = (id: string, change: Partial<RosterEntry> = {}): RosterEntry => ({
  id,
  addresses: [`${id}:7701`],
  metadata: {},
  isAdmitted: true,
  ...change,
})

/** Real actors on virtual time; messages pass through the real codec. */
class Net {
  readonly clock = virtualClock()
  readonly peers = new Map<string, Peer>()
  readonly sent: string[] = []
  readonly down = new Set<string>()
  readonly #turns: (() => void)[] = []

  constructor(ids: readonly string[]) {
    for (const id of ids) {
      const roster = ids.map(other => listed(other))
      this.peers.set(id, this.#start(id, roster))
    }
    this.run(1_500)
  }

  run(ms: number): void {
    for (let spentMs = 0; spentMs <= ms; spentMs++) {
      if (spentMs > 0) this.clock.advance(1)
      for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) turn()
    }
  }

  peer(id: string): Peer {
    const peer = this.peers.get(id)
    if (peer === undefined) throw new Error(`no peer ${id}`)
    return peer
  }

  members(observer: string): readonly Member[] {
    let reply: Membership | null = null as Membership | null
    this.peer(observer).swim.send({
      type: 'swim/Members',
      replyTo: { path: 'test', send: membership => (reply = membership) },
    })
    this.run(0)
    if (reply === null) throw new Error('no reply')
    return reply.members
  }

  stateOf(observer: string, subject: string): string {
    return this.members(observer).find(({ id }) => id === subject)?.state ?? 'unknown'
  }

  #start(id: string, roster: RosterEntry[]): Peer {
    const handlers: Handlers = { message() {}, published() {}, peer() {} }
    const addresses = new Map<string, readonly string[]>()
    const warnings: string[] = []
    const sizes: number[] = []
    const log: Log = {
      ...silentLog,
      warn: (message: string, _fields?: Fields) => warnings.push(message),
      child: () => log,
    }
    const system = createActorSystem({
      clock: this.clock,
      random: prng(1, id).random,
      log,
      yieldTo: turn => this.#turns.push(turn),
    })
    const transport: Pick<
      Transport,
      'send' | 'publish' | 'setAddresses' | 'onMessage' | 'onPublished' | 'onPeer'
    > = {
      send: (to, _channel, message) => this.#deliver(id, to, message, peer => peer.handlers.message),
      publish: (_topic, message) => {
        for (const to of this.peers.keys())
          if (to !== id) this.#deliver(id, to, message, peer => peer.handlers.published)
      },
      setAddresses: (peer, hostPorts) => addresses.set(peer, hostPorts),
      onMessage: (_channel, handler) => {
        handlers.message = handler
      },
      onPublished: (_topic, handler) => {
        handlers.published = handler
      },
      onPeer: handler => {
        handlers.peer = handler
      },
    }
    const actor = swimActor({
      options: size => {
        sizes.push(size)
        return lan(size)
      },
      transport,
      self: () => ({
        id,
        incarnation: 1,
        state: 'alive',
        addresses: [`${id}:7701`],
        metadata: { name: id },
      }),
      roster: () => peer.roster,
      known: () => [],
      listener: (membership, facts) => {
        peer.view = membership
        peer.facts.push(...facts)
      },
    })
    const swim = system.spawn('swim', actor.create, SWIM_SPAWN)
    const peer: Peer = { id, swim, handlers, addresses, facts: [], warnings, roster, view: null, sizes }
    actor.listen(swim, transport)
    return peer
  }

  #deliver(
    from: string,
    to: string,
    message: unknown,
    door: (peer: Peer) => (from: string, message: unknown) => void,
  ): boolean {
    this.sent.push(`${from} to ${to}`)
    if (this.down.has(from) || this.down.has(to)) return false
    const bytes = encode(message)
    this.clock.after(DELIVERY_MS, () => {
      const target = this.peers.get(to)
      if (target !== undefined && !this.down.has(to)) door(target)(from, decode(bytes))
    })
    return true
  }
}

test('members that the roster lists find each other, and learn more than the roster says', () => {
  const net = new Net(['a', 'b', 'c'])
  for (const observer of ['a', 'b', 'c'])
    assert.equal(
      net.members(observer).map(({ id, state, metadata }) => `${id} ${state} ${metadata.name}`),
      ['a alive a', 'b alive b', 'c alive c'],
    )
})

test('a silent death reaches the listener with who confirmed it', () => {
  const net = new Net(['a', 'b', 'c', 'd', 'e'])
  net.down.add('c')
  net.run(3_000)
  const verdict = net.peer('a').facts.find(fact => fact.type === 'member-dead')
  assert.ok(verdict !== undefined && verdict.member.id === 'c' && verdict.confirmedBy.length >= 2)
  assert.is(net.peer('a').view?.members.find(({ id }) => id === 'c')?.state, 'dead')
})

test('a refused connection is known to be a death within a second', () => {
  const net = new Net(['a', 'b', 'c'])
  net.down.add('c')
  for (const id of ['a', 'b']) {
    net.peer(id).handlers.peer({ type: 'disconnected', peer: 'c', cause: 'closed' })
    net.peer(id).handlers.peer({ type: 'disconnected', peer: 'c', cause: 'refused' })
  }
  net.run(1_000)
  assert.is(net.stateOf('a', 'c'), 'dead')
  assert.is(net.stateOf('b', 'c'), 'dead')
})

test('a connection that was let go is no hint, and one that broke is', () => {
  const net = new Net(['a', 'b', 'c'])
  const saidTo = (cause: 'idle' | 'closed'): number => {
    net.sent.length = 0
    net.peer('a').handlers.peer({ type: 'disconnected', peer: 'c', cause })
    net.run(0)
    return net.sent.filter(pair => pair === 'a to c').length
  }
  assert.is(saidTo('idle'), 0)
  assert.is(saidTo('closed'), 1)
})

test('a member that comes back is alive again once its connection is up', () => {
  const net = new Net(['a', 'b', 'c'])
  net.down.add('c')
  net.run(4_000)
  assert.is(net.stateOf('a', 'c'), 'dead')
  net.down.delete('c')
  net.peer('a').handlers.peer({ type: 'connected', peer: 'c' })
  net.run(100)
  assert.is(net.stateOf('a', 'c'), 'alive')
  assert.is(net.stateOf('b', 'c'), 'alive')
})

test('new addresses of a member reach the transport of the others', () => {
  const net = new Net(['a', 'b', 'c'])
  assert.equal(net.peer('a').addresses.get('b'), ['b:7701'])
  net.peer('b').swim.send({ type: 'swim/SetAddresses', addresses: ['moved:1'] })
  net.run(500)
  assert.equal(net.peer('a').addresses.get('b'), ['moved:1'])
  assert.equal(net.peer('c').addresses.get('b'), ['moved:1'])
  assert.is(net.peer('b').addresses.has('b'), false)
})

test('a node that the roster no longer admits is forgotten, one without a row is left alone', () => {
  const net = new Net(['a', 'b', 'c'])
  net.peer('a').roster = [listed('a'), listed('c', { isAdmitted: false })]
  net.peer('a').swim.send({ type: 'swim/RosterChanged' })
  net.run(10)
  assert.equal(
    net.members('a').map(({ id }) => id),
    ['a', 'b'],
  )
})

test('the options follow the size of the roster, and are not asked for again while it stays', () => {
  const net = new Net(['a', 'b', 'c'])
  const rosters = [
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'].map(id => listed(id)),
    ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'].map(id => listed(id, { addresses: ['moved:1'] })),
    [listed('a'), listed('b'), listed('c', { isAdmitted: false })],
  ]
  for (const roster of rosters) {
    net.peer('a').roster = roster
    net.peer('a').swim.send({ type: 'swim/RosterChanged' })
    net.run(10)
  }
  assert.equal(net.peer('a').sizes, [3, 11, 2])
})

test('a farewell reaches the others at once and is confirmed to the asker', () => {
  const net = new Net(['a', 'b', 'c'])
  let replies = 0
  net.peer('c').swim.send({ type: 'swim/Leave', replyTo: { path: 'test', send: () => replies++ } })
  net.run(10)
  assert.is(replies, 1)
  assert.is(net.stateOf('a', 'c'), 'left')
  assert.is(net.stateOf('b', 'c'), 'left')
})

test('malformed gossip changes nothing and is complained about once', () => {
  const net = new Net(['a', 'b'])
  for (let i = 0; i < 50; i++) net.peer('a').handlers.message('b', { type: 'ping', rumors: 'many' })
  net.peer('a').handlers.published('b', [1, 2, 3])
  net.run(1_000)
  assert.is(net.stateOf('a', 'b'), 'alive')
  assert.equal(net.peer('a').warnings, ['a peer sends malformed gossip, which is ignored'])
})

test('nobody publishes in the name of another: no death, no return, no farewell, no greater incarnation', () => {
  const net = new Net(['a', 'b', 'c'])
  net.run(1_000)
  const known = net.members('a')
  const about = { id: 'c', incarnation: 7, addresses: ['evil:1'], metadata: {} }
  for (const state of ['alive', 'left', 'dead', 'suspect'] as const)
    for (const by of ['b', 'c'])
      if (by === 'c' || state === 'alive' || state === 'left')
        net.peer('a').handlers.published('b', { member: { ...about, state }, by })
  net.run(10)
  assert.equal(net.members('a'), known)
  assert.equal(net.peer('a').warnings, ['a peer publishes words of others, which are ignored'])
})

test('a flood from one peer is dropped at the door and stops nothing', () => {
  const net = new Net(['a', 'b', 'c'])
  const ping = { type: 'ping', sequence: 1, rumors: [] }
  for (let i = 0; i < 20_000; i++) net.peer('a').handlers.message('b', ping)
  net.down.add('c')
  net.run(4_000)
  assert.is(net.stateOf('a', 'c'), 'dead')
  assert.is(net.stateOf('a', 'b'), 'alive')
  assert.equal(
    net.peer('a').warnings.filter(warning => warning.includes('crash')),
    [],
  )
})

test.run()
