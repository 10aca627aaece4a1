/** What only real sockets show: strangers, broken frames, deaf readers, killed processes, and twenty nodes on one address. */
import { type ChildProcess, fork } from 'node:child_process'
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Clock, systemClock } from '../../node/clock.ts'
import { encode } from '../../node/codec.ts'
import { silentLog } from '../../node/log.ts'
import { frameOf } from '../../node/transport/frames.ts'
import { generateIdentity, type Identity } from '../../node/transport/identity.ts'
import { createLibp2pTransport, type Libp2pTransport } from '../../node/transport/libp2p.ts'
import { createNode, multiaddr, type Node } from '../../node/transport/libp2p-node.ts'
import { QUEUE_BYTES_MAX } from '../../node/transport/outbox.ts'
import { ANSWER_MS_MAX, SILENT_MS_MAX } from '../../node/transport/silence.ts'
import { prng } from '../harness/prng.ts'
import { all, CALL, fastClock, introduce, mesh, type Peer, until, withMemory } from './transport-world.ts'

type Ours = Peer & Libp2pTransport

const clock = systemClock()

const story = suite('libp2p on real sockets')
let closing: (() => unknown)[] = []
story.after.each(async () => {
  await Promise.all(closing.map(close => close()))
  closing = []
})

const open = async (identity?: Identity, time: Clock = clock): Promise<Ours> => {
  const { privateKey } = identity ?? (await generateIdentity())
  const transport = await createLibp2pTransport({
    privateKey,
    listen: '127.0.0.1:0',
    clock: time,
    log: silentLog,
  })
  const peer = withMemory(transport) as Ours
  await peer.start()
  closing.push(() => peer.stop())
  return peer
}

/** libp2p without our rules: what a stranger or a broken member may run. */
const openRaw = async (identity: Identity): Promise<Node> => {
  const node = await createNode({
    privateKey: identity.privateKey,
    listen: '/ip4/127.0.0.1/tcp/0',
    gater: {},
    isMember: () => true,
  })
  await node.start()
  closing.push(() => node.stop())
  return node
}

const dialRaw = (from: Node, to: Ours) =>
  from.dial(multiaddr(`/ip4/127.0.0.1/tcp/${to.addresses()[0]?.split(':')[1]}`))

const portOf = (peer: Ours): number => Number(peer.addresses()[0]?.split(':')[1])

story('twenty nodes on one address hear each other’s rumours', async () => {
  const peers = await Promise.all(Array.from({ length: 20 }, () => open()))
  const all = new Set(peers.map(peer => peer.self))
  const heard = new Set<string>()
  for (const peer of peers) {
    peer.onPublished('rumors', (from, rumor) => {
      if (rumor === 'all') heard.add(`${from} ${peer.self}`)
    })
    // Only the lower id knows where to dial: twice as many handshakes in one process would only cost time.
    for (const other of peers) if (peer.self < other.self) peer.setAddresses(other.self, other.addresses())
    peer.admit(all)
  }
  await until('a full mesh', () => peers.every(peer => peer.connected().size === 19))
  await until('every rumour everywhere', () => {
    for (const author of [peers[0], peers[10], peers[19]]) author?.publish('rumors', 'all')
    return heard.size === 3 * 19
  })
})

story('a stranger gets nothing but join, and is sent away', async () => {
  const [ours, stranger] = [await open(undefined, fastClock), await openRaw(await generateIdentity())]
  const rumors: unknown[] = []
  ours.onPublished('rumors', (_, rumor) => rumors.push(rumor))
  ours.onCall('join', async function* () {
    yield 'who are you?'
  })
  const connection = await dialRaw(stranger, ours)
  const isServed = async (protocol: string): Promise<boolean> => {
    try {
      const stream = await connection.newStream(protocol)
      stream.send(frameOf(encode({ forged: true })))
      const answered = Promise.withResolvers<boolean>()
      stream.addEventListener('message', () => answered.resolve(true))
      stream.addEventListener('close', () => answered.resolve(false))
      return await answered.promise
    } catch {
      return false
    }
  }
  for (const protocol of [
    '/tutti/raft/1',
    '/tutti/swim/1',
    '/tutti/propose/1',
    '/tutti/api/1',
    '/ipfs/id/1.0.0',
  ]) {
    assert.not(await isServed(protocol), protocol)
  }
  assert.ok(await isServed('/tutti/join/1'))
  await assertRejects(stranger.services.identify.identify(connection))
  await until('the stranger is sent away', () => connection.status !== 'open')
  assert.equal(ours.heard, [])
  assert.equal(rumors, [])
  assert.equal(ours.events, [])
})

const assertRejects = async (promise: Promise<unknown>): Promise<void> => {
  const outcome = await promise.then(
    () => 'resolved',
    () => 'rejected',
  )
  assert.is(outcome, 'rejected')
}

story('a stranger that sends too much is cut off, and one that asks too often is not served', async () => {
  const ours = await open()
  let served = 0
  ours.onCall('join', async function* ({ signal }) {
    served += 1
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    yield null
  })
  const loud = await dialRaw(await openRaw(await generateIdentity()), ours)
  const stream = await loud.newStream('/tutti/join/1')
  stream.send(frameOf(new Uint8Array(1024 * 1024)))
  await until('the loud one is gone', () => loud.status !== 'open')
  assert.is(served, 0)
  const greedy = await dialRaw(await openRaw(await generateIdentity()), ours)
  const asking = await Promise.allSettled(Array.from({ length: 30 }, () => greedy.newStream('/tutti/join/1')))
  for (const each of asking) {
    if (each.status === 'fulfilled' && each.value.status === 'open') each.value.send(frameOf(encode('in')))
  }
  await until('the first are served', () => served > 0)
  await until('the others are refused', () => greedy.streams.length <= 4)
  assert.ok(served <= 4, `${served} at once`)
})

story('bytes that are no protocol at all harm nobody', async () => {
  const [ash, oak] = [await open(), await open()]
  await mesh(ash, oak)
  for (const garbage of [
    'GET / HTTP/1.1\r\n\r\n',
    '\u0013/multistream/1.0.0\n\u0000\u0000',
    'x'.repeat(100_000),
  ]) {
    const socket = connect(portOf(ash), '127.0.0.1')
    socket.on('error', () => {})
    await new Promise<void>(resolve => {
      socket.on('close', () => resolve())
      socket.end(garbage)
    })
  }
  ash.send(oak.self, 'raft', 'fine')
  await until('the message', () => oak.heard.length === 1)
  assert.is(ash.connected().size, 1)
})

story('a member’s broken frames end their stream, are counted, and leave everything else alone', async () => {
  const identity = await generateIdentity()
  const [ours, other, raw] = [await open(), await open(), await openRaw(identity)]
  introduce(ours, other)
  ours.admit(new Set([ours.self, other.self, identity.peerId]))
  const connection = await dialRaw(raw, ours)
  await raw.services.identify.identify(connection)
  const send = async (bytes: Uint8Array): Promise<void> => {
    const stream = await connection.newStream('/tutti/raft/1')
    stream.send(bytes)
    await until('the stream is aborted', () => stream.status !== 'open')
  }
  await send(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
  await send(frameOf(Buffer.from([0xc1, 0xc1, 0xc1])))
  await send(frameOf(Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])))
  assert.is(ours.counters().malformed, 3)
  assert.equal(ours.heard, [])
  const good = await connection.newStream('/tutti/raft/1')
  for (const byte of frameOf(encode('in single bytes'))) good.send(new Uint8Array([byte]))
  other.send(ours.self, 'raft', 'fine')
  await until('the good ones', () => ours.heard.length === 2)
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is really held, garbage aside. */
const usedBytes = (): number => {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

story('random bytes on every protocol, from a stranger and from a member, harm nobody', async () => {
  const dice = prng(20_261_123)
  const identity = await generateIdentity()
  const [ours, other] = [await open(), await open()]
  const [stranger, member] = [await openRaw(await generateIdentity()), await openRaw(identity)]
  ours.onCall('join', async function* () {})
  ours.onCall('api', async function* () {})
  introduce(ours, other)
  const admitted = new Set([ours.self, other.self, identity.peerId])
  ours.admit(admitted)
  other.admit(admitted)
  const names = ['raft', 'swim', 'join', 'api', 'propose'].map(name => `/tutti/${name}/1`)
  const protocols = [...names, '/ipfs/id/1.0.0', '/meshsub/1.2.0']
  const noise = (): Uint8Array =>
    Uint8Array.from({ length: dice.between(1, 400) }, () => dice.between(0, 255))
  for (let round = 0; round < 12; round += 1) {
    for (const raw of [stranger, member]) {
      const connection = raw.getConnections()[0] ?? (await dialRaw(raw, ours))
      await Promise.allSettled(
        protocols.map(async protocol => {
          const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(1_000) })
          stream.send(round % 2 === 0 ? noise() : frameOf(noise()))
          await stream.close({ signal: AbortSignal.timeout(1_000) })
        }),
      )
    }
  }
  const before = ours.heard.length
  await until('the connection', () => ours.connected().has(other.self))
  other.send(ours.self, 'raft', 'fine')
  await until('the message', () => ours.heard.length > before)
  assert.ok(ours.counters().malformed > 0)
})

story('bytes of a message do not keep the packet alive in which they came', async () => {
  const [from, to] = [await open(), await open()]
  const got: { readonly data: Uint8Array }[] = []
  to.onMessage('raft', (_, message) => void got.push(message as { readonly data: Uint8Array }))
  introduce(from, to)
  await until('they are connected', () => from.connected().has(to.self) && to.connected().has(from.self))
  for (const length of [50_000, 3]) from.send(to.self, 'raft', { data: new Uint8Array(length) })
  await until('both came', () => got.length === 2)
  assert.is(got[1]?.data.byteLength, 3)
  assert.ok((got[1]?.data.buffer.byteLength ?? 0) < 100)
})

story('a member that never reads costs bounded memory, and the rest is dropped', async () => {
  const identity = await generateIdentity()
  const [ours, raw] = [await open(), await openRaw(identity)]
  await raw.handle('/tutti/raft/1', stream => stream.pause())
  ours.admit(new Set([ours.self, identity.peerId]))
  const connection = await dialRaw(raw, ours)
  await raw.services.identify.identify(connection)
  await until('the connection', () => ours.connected().size === 1)
  const before = usedBytes()
  let dropped = 0
  for (let count = 0; count < 4_000; count += 1) {
    if (!ours.send(identity.peerId, 'raft', { count, bytes: new Uint8Array(64 * 1024) })) dropped += 1
    if (count % 50 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  assert.ok(dropped > 3_000, `only ${dropped} of 4000 were dropped`)
  assert.ok(ours.counters().queuedBytes <= QUEUE_BYTES_MAX)
  // The engine frees array buffers in the background, some time after the collection that found them unused.
  await until('what was dropped to be freed', () => usedBytes() - before < 32 * 1024 * 1024)
})

/** A member in a process of its own, connected to `ours`. */
const withChild = async (ours: Peer): Promise<{ readonly id: string; readonly child: ChildProcess }> => {
  const identity = await generateIdentity()
  const child = fork(new URL('./transport-child.ts', import.meta.url), {
    env: {
      ...process.env,
      CHILD_KEY: Buffer.from(identity.privateKey).toString('hex'),
      CHILD_PEER: ours.self,
      CHILD_PEER_ADDRESS: ours.addresses()[0] as string,
    },
  })
  closing.push(() => child.kill('SIGKILL'))
  const address = await new Promise<string>(resolve =>
    child.once('message', message => resolve(String(message))),
  )
  ours.setAddresses(identity.peerId, [address])
  ours.admit(new Set([ours.self, identity.peerId]))
  await until('the connection', () => ours.connected().size === 1)
  return { id: identity.peerId, child }
}

const causesOf = (ours: Peer): readonly string[] =>
  ours.events.flatMap(event => (event.type === 'disconnected' ? [event.cause] : []))

story('a killed process is seen within a moment, and then refused', async () => {
  const ours = await open()
  const { child } = await withChild(ours)
  const killedAtMs = performance.now()
  child.kill('SIGKILL')
  await until('the end', () => causesOf(ours).length === 2)
  const tookMs = performance.now() - killedAtMs
  assert.equal(causesOf(ours), ['closed', 'refused'])
  assert.ok(tookMs < 3_000, `${tookMs} ms`)
})

story('a frozen process is given up when it owes an answer, not before', async () => {
  const ours = await open()
  const { id, child } = await withChild(ours)
  child.kill('SIGSTOP')
  await new Promise(resolve => setTimeout(resolve, SILENT_MS_MAX + ANSWER_MS_MAX + 2_000))
  assert.equal(causesOf(ours), [])
  ours.send(id, 'raft', 'are you there?')
  await until('the end', () => causesOf(ours).length > 0)
  assert.equal(causesOf(ours).slice(0, 1), ['timeout'])
})

story('who dials again under a proven identity replaces the connection that was there', async () => {
  const identity = await generateIdentity()
  const [ours, first, second] = [
    await open(undefined, fastClock),
    await openRaw(identity),
    await openRaw(identity),
  ]
  ours.admit(new Set([ours.self, identity.peerId]))
  await first.services.identify.identify(await dialRaw(first, ours))
  await until('the first connection', () => ours.connected().size === 1)
  await new Promise(resolve => setTimeout(resolve, 200))
  const newer = await dialRaw(second, ours)
  await second.services.identify.identify(newer)
  await until('the replacement', () => ours.events.length === 3)
  assert.equal(
    ours.events.map(event => event.type),
    ['connected', 'disconnected', 'connected'],
  )
  assert.is(newer.status, 'open')
  assert.is(first.getConnections().length, 0)
})

story('a question to an address that crosses the own dial to the member there finds it', async () => {
  for (let afterMs = 0; afterMs < 24; afterMs += 2) {
    const [ash, oak] = [await open(), await open()]
    await mesh(ash, oak)
    ash.onCall('join', async function* () {
      yield 'you have left'
    })
    ash.admit(new Set())
    await until('the end', () => oak.connected().size === 0)
    await new Promise(resolve => setTimeout(resolve, afterMs))
    const [address = ''] = ash.addresses()
    assert.is((await all(oak.callAddress(address, 'join', null, CALL)))[1], 'you have left')
    await Promise.all([ash.stop(), oak.stop()])
  }
})

story.run()
