import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Failure } from '../../../node/errors.ts'
import { silentLog } from '../../../node/log.ts'
import { memoryNetwork } from '../../../node/transport/memory.ts'
import type { MemoryTransport } from '../../../node/transport/memory-transport.ts'
import type { MemoryFaults, TrafficKind } from '../../../node/transport/memory-wire.ts'
import { QUEUE_BYTES_MAX } from '../../../node/transport/outbox.ts'
import { prng } from '../../harness/prng.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

type World = ReturnType<typeof worldOf>

const worldOf = (faults: MemoryFaults = { deliver: () => [1] }) => {
  const clock = virtualClock()
  const network = memoryNetwork({ clock, faults, random: () => 0.5 })
  const transcript: string[] = []
  const open = (who: string, listen = `${who}:7701`): MemoryTransport => {
    const transport = network.transport({ self: who, listen, log: silentLog })
    const note = (text: string) => transcript.push(`${clock.monotonicMs()} ${who} ${text}`)
    transport.onPeer(event => note(`${event.type} ${event.peer}${'cause' in event ? ` ${event.cause}` : ''}`))
    transport.onMessage('raft', (from, message) => note(`raft ${from} ${JSON.stringify(message)}`))
    transport.onPublished('rumors', (from, message) => note(`rumor ${from} ${JSON.stringify(message)}`))
    void transport.start()
    return transport
  }
  /** Virtual time passes, and promises settle between its steps. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(Math.min(10, ms - passed))
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { clock, network, transcript, open, pass }
}

const mesh = (...peers: readonly MemoryTransport[]): void => {
  for (const peer of peers) {
    for (const other of peers) peer.setAddresses(other.self, other.addresses())
    peer.admit(new Set(peers.map(each => each.self)))
  }
}

/** Loses everything between the two while `isCut`. */
const cutBetween = (one: string, two: string) => {
  const state = { isCut: false }
  const faults: MemoryFaults = {
    deliver: (from, to) => (state.isCut && [from, to].includes(one) && [from, to].includes(two) ? [] : [1]),
  }
  return { state, faults }
}

const of = (world: World, ...words: readonly string[]): string[] =>
  world.transcript.filter(line => words.every(word => line.includes(word)))

test('the same faults and dice give the same history, event by event', async () => {
  const run = async (seed: number): Promise<readonly string[]> => {
    const dice = prng(seed)
    const world = worldOf({
      deliver: () =>
        dice.random() < 0.1 ? [] : dice.random() < 0.1 ? [1, 7] : [Math.floor(dice.random() * 30)],
    })
    const peers = ['a', 'b', 'c', 'd'].map(who => world.open(who))
    mesh(...peers)
    for (let round = 0; round < 40; round += 1) {
      await world.pass(50)
      for (const peer of peers) for (const other of peers) peer.send(other.self, 'raft', round)
      if (round === 15) peers[1]?.kill()
      peers[0]?.publish('rumors', round)
    }
    return world.transcript
  }
  const [first, again, other] = [await run(7), await run(7), await run(8)]
  assert.ok(first.length > 200)
  assert.equal(first, again)
  assert.not.equal(first, other)
})

test('delays never reorder a channel, duplicates come on top', async () => {
  const delays = [50, 1, 30, 2]
  let sent = 0
  const world = worldOf({
    deliver: (_from, _to, kind) => (kind === 'raft' ? [delays[sent++ % 4] as number, 200] : [1]),
  })
  const [a, b] = [world.open('a'), world.open('b')]
  mesh(a, b)
  await world.pass(100)
  for (let count = 0; count < 8; count += 1) a.send('b', 'raft', count)
  await world.pass(100)
  const order = () => of(world, 'b raft').map(line => Number(line.split(' ').at(-1)))
  assert.equal(order(), [0, 1, 2, 3, 4, 5, 6, 7])
  await world.pass(200)
  assert.is(order().length, 16)
})

test('a killed process is seen when its host resets the connection, and refused after that', async () => {
  const world = worldOf()
  const [a, b] = [world.open('a'), world.open('b')]
  mesh(a, b)
  await world.pass(100)
  b.kill()
  await world.pass(100)
  assert.equal(
    of(world, 'a disconnected').map(line => line.split(' ').at(-1)),
    ['closed', 'refused'],
  )
  const again = world.open('b')
  again.admit(new Set(['a', 'b']))
  await world.pass(3_000)
  assert.ok(a.connected().has('b') && again.connected().has('a'))
})

test('a silent partition is noticed by the unanswered ping only, on both sides, and heals by dialling', async () => {
  const { state, faults } = cutBetween('a', 'b')
  const world = worldOf(faults)
  const [a, b] = [world.open('a'), world.open('b')]
  mesh(a, b)
  await world.pass(100)
  state.isCut = true
  await world.pass(2_000)
  assert.ok(a.connected().has('b'))
  await world.pass(6_000)
  assert.is(of(world, 'disconnected', 'timeout').length, 2)
  state.isCut = false
  await world.pass(8_000)
  assert.ok(a.connected().has('b') && b.connected().has('a'))
})

test('a rumour goes round a cut through a third node, once', async () => {
  const { state, faults } = cutBetween('a', 'b')
  const world = worldOf(faults)
  const peers = [world.open('a'), world.open('b'), world.open('c')]
  mesh(...peers)
  await world.pass(1_000)
  state.isCut = true
  peers[0]?.publish('rumors', 'news')
  await world.pass(100)
  assert.is(of(world, 'b rumor a').length, 1)
  assert.is(of(world, 'c rumor a').length, 1)
  assert.is(of(world, 'a rumor').length, 0)
})

test('what is lost inside a call is sent again: the answer is late, never incomplete', async () => {
  let calls = 0
  const world = worldOf({ deliver: (_from, _to, kind) => (kind === 'call' && calls++ % 3 === 0 ? [] : [1]) })
  const [a, b] = [world.open('a'), world.open('b')]
  b.onCall('api', async function* () {
    for (let count = 0; count < 20; count += 1) yield count
  })
  mesh(a, b)
  await world.pass(100)
  const got: unknown[] = []
  const done = (async () => {
    for await (const value of a.call('b', 'api', null, { timeoutMs: 10_000 })) got.push(value)
    return 'complete'
  })()
  await world.pass(20_000)
  assert.is(await done, 'complete')
  assert.equal(got, [...Array(20).keys()])
})

test('a call across a partition ends when the connection is given up', async () => {
  const { state, faults } = cutBetween('a', 'b')
  const world = worldOf(faults)
  const [a, b] = [world.open('a'), world.open('b')]
  b.onCall('api', async function* () {
    yield 'first'
    await new Promise(() => {})
  })
  mesh(a, b)
  await world.pass(100)
  const values = a.call('b', 'api', null, { timeoutMs: 1_000 })[Symbol.asyncIterator]()
  const first = values.next()
  await world.pass(100)
  assert.is((await first).value, 'first')
  const code = values.next().then(
    () => 'a value',
    (thrown: Failure) => thrown.code,
  )
  state.isCut = true
  await world.pass(20_000)
  assert.is(await code, 'E_UNREACHABLE')
})

test('a dead process that comes back silently is reset at the first message', async () => {
  let isMute = false
  const world = worldOf({
    deliver: (from, _to, kind) => (isMute && from === 'b' && kind === 'close' ? [] : [1]),
  })
  const [a, b] = [world.open('a'), world.open('b')]
  mesh(a, b)
  await world.pass(100)
  isMute = true
  b.kill()
  isMute = false
  await world.pass(100)
  assert.ok(a.connected().has('b'), 'nobody told a')
  a.send('b', 'raft', 'hello?')
  await world.pass(100)
  assert.not(a.connected().has('b'))
})

test('what is under way to one peer on one channel is bounded', async () => {
  const world = worldOf({ deliver: (_from, _to, kind) => [kind === 'raft' ? 1_000 : 1] })
  const [a, b] = [world.open('a'), world.open('b')]
  mesh(a, b)
  await world.pass(100)
  const megabyte = new Uint8Array(1024 * 1024)
  const taken = Array.from({ length: 20 }, () => a.send('b', 'raft', megabyte)).filter(ok => ok).length
  assert.is(taken, Math.floor(QUEUE_BYTES_MAX / (1024 * 1024 + 5)))
  assert.ok(a.send('b', 'swim', 'another channel'))
  await world.pass(2_000)
  assert.ok(a.send('b', 'raft', megabyte))
})

test('faults are asked with who, whom and what', async () => {
  const kinds = new Set<TrafficKind>()
  const world = worldOf({
    deliver(from, to, kind) {
      assert.ok(['a', 'b'].includes(from) && ['a', 'b'].includes(to) && from !== to)
      kinds.add(kind)
      return [1]
    },
  })
  const [a, b] = [world.open('a'), world.open('b')]
  b.onCall('api', async function* () {})
  mesh(a, b)
  await world.pass(100)
  a.send('b', 'raft', 1)
  a.send('b', 'swim', 1)
  a.publish('rumors', 1)
  const call = (async () => {
    for await (const _ of a.call('b', 'api', 1, { timeoutMs: 1_000 }));
  })()
  await world.pass(11_000)
  await call
  b.kill()
  await world.pass(10)
  assert.equal(kinds, new Set(['dial', 'raft', 'swim', 'gossip', 'call', 'ping', 'close']))
})

test('a network may refuse a dial though somebody listens', async () => {
  const world = worldOf({ deliver: () => [1], refuses: () => true })
  const [a, b] = [world.open('a'), world.open('b')]
  mesh(a, b)
  await world.pass(3_000)
  assert.is(a.connected().size, 0)
  assert.is(of(world, 'a disconnected b refused').length, 1)
})

test.run()
