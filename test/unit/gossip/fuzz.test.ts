// Malformed, mutated and well-formed but hostile input: nothing throws, and no member changes unless it may.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isMessage, isRumor, lan, type Member, type Message, Swim } from '../../../gossip/index.ts'
import { isRunning } from '../../../gossip/member.ts'
import { decode, encode } from '../../../node/codec.ts'
import { Cluster, dice, member } from './cluster.ts'

const PEERS = ['b', 'c', 'd']

const started = (): Swim => {
  const swim = new Swim(member('a'), lan(4), dice(3))
  swim.step({ type: 'join', nowMs: 0, members: PEERS.map(id => member(id)) })
  swim.step({ type: 'start', nowMs: 0 })
  return swim
}

const recorded: readonly Message[] = (() => {
  const said: Message[] = []
  const cluster = new Cluster(1, lan(4))
  cluster.onSend = (_from, _to, message) => said.push(message)
  cluster.startAll(['a', ...PEERS])
  cluster.run(3_000)
  cluster.kill('c')
  cluster.run(4_000)
  return said
})()

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'ghost')
const claim = fc.record({
  id: ids,
  incarnation: fc.oneof(fc.nat(5), fc.nat(2 ** 30), fc.constant(2 ** 48 - 1)),
  state: fc.constantFrom('alive', 'suspect', 'dead', 'left'),
  addresses: fc.array(fc.string(), { maxLength: 3 }),
  metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3, noNullPrototype: true }),
})
const rumor = fc.record(
  { member: claim, by: ids, isRefused: fc.boolean() },
  { requiredKeys: ['member', 'by'] },
)
const rumors = fc.array(rumor, { maxLength: 5 })
/** At most one of each member, so that what a message does to a member is what one claim does. */
const single = fc.uniqueArray(rumor, { maxLength: 5, selector: ({ member: { id } }) => id })
const parts = fc.array(fc.tuple(fc.constantFrom('', '0', 'a', 'ff', '7c'), fc.nat()), { maxLength: 40 })
/** Well formed, with anything in it that a liar may say. */
const hostileWith = (rumors: fc.Arbitrary<unknown>): fc.Arbitrary<Message> =>
  fc.oneof(
    fc.record({ type: fc.constantFrom('ping', 'ack', 'nack'), sequence: fc.nat(), rumors }),
    fc.record({ type: fc.constant('ping-request'), sequence: fc.nat(), target: ids, rumors }),
    fc.record({ type: fc.constant('gossip'), rumors }),
    fc.record(
      { type: fc.constant('sync'), wantsReply: fc.boolean(), rumors, parts, told: parts },
      { requiredKeys: ['type', 'wantsReply', 'rumors'] },
    ),
  ) as fc.Arbitrary<Message>
const hostile = hostileWith(rumors)

/** A recorded message of which one byte has been changed on its way. */
const damaged = fc
  .tuple(fc.nat(recorded.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }))
  .map(([which, where, change]) => {
    const bytes = Uint8Array.from(encode(recorded[which]))
    const at = where % bytes.length
    bytes[at] = (bytes[at] as number) ^ change
    try {
      return decode(bytes)
    } catch {
      return undefined
    }
  })

/** As the actor does it: only what passes the door is handed in. */
const receive = (swim: Swim, from: string, value: unknown, nowMs: number): boolean => {
  if (!isMessage(value)) return false
  swim.step({ type: 'receive', nowMs, from, message: value })
  return true
}

test('whatever a peer sends, nothing throws, and the core goes on answering', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(ids, fc.oneof(hostile, damaged)), { maxLength: 30 }), sent => {
      const swim = started()
      for (const [position, [from, value]] of sent.entries()) {
        receive(swim, from, value, 10 + position)
        if (isRumor(value)) swim.step({ type: 'rumorReceived', nowMs: 10 + position, from, rumor: value })
      }
      const ping: Message = { type: 'ping', sequence: 7, rumors: [] }
      const { send } = swim.step({ type: 'receive', nowMs: 100, from: 'b', message: ping })
      assert.ok(
        send.some(({ to, message }) => to === 'b' && message.type === 'ack' && message.sequence === 7),
      )
    }),
    { numRuns: 300 },
  )
})

test('no word ends a member at once but its own farewell, and nobody enters or moves another', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(ids, hostileWith(single)), { maxLength: 30 }), sent => {
      const swim = started()
      for (const [from, message] of sent) {
        const before = new Map(swim.members().map(known => [known.id, known]))
        receive(swim, from, message, 10)
        assert.equal(
          swim.members().map(({ id }) => id),
          ['a', ...PEERS],
        )
        for (const now of swim.members()) allowed(before.get(now.id) as Member, now, from)
      }
    }),
    { numRuns: 300 },
  )
})

/** What one message may do to one member. */
const allowed = (before: Member, now: Member, from: string): void => {
  if (before === now) return
  assert.ok(now.incarnation >= before.incarnation, 'an incarnation never falls')
  if (now.id === 'a') {
    assert.is(now.state, 'alive')
    assert.equal(now.addresses, before.addresses)
    return
  }
  assert.ok(PEERS.includes(from), 'a stranger changes nothing')
  if (isRunning(before) && !isRunning(now)) assert.is(from, now.id, 'only a farewell ends at once')
  const hasMoved = now.addresses.join() !== before.addresses.join()
  if (hasMoved && now.state !== 'alive') assert.ok(now.incarnation > before.incarnation || from === now.id)
}

test('what does not pass the door changes nothing', () => {
  const anything = fc.oneof(fc.anything(), damaged)
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 20 }), values => {
      const swim = started()
      const before = swim.members()
      const refused = values.filter(value => !isMessage(value))
      for (const value of refused) assert.not(receive(swim, 'b', value, 10))
      assert.equal(swim.members(), before)
    }),
    { numRuns: 200 },
  )
})

test('timers of any kind, in any order and at any time, harm nothing', () => {
  const timer = fc.record({
    type: fc.constantFrom(
      'probe-round',
      'direct-timeout',
      'probe-deadline',
      'relay-deadline',
      'gossip-round',
    ),
    token: fc.nat(),
    sequence: fc.nat(),
    dueMs: fc.nat(10_000),
  })
  fc.assert(
    fc.property(fc.array(timer, { maxLength: 30 }), timers => {
      const swim = started()
      for (const fired of timers) swim.step({ type: 'timerFired', nowMs: 5_000, timer: fired })
      assert.ok(swim.members().every(isRunning))
    }),
  )
})

test.run()
