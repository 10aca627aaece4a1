// Two nodes compare what they see and tell each other only where they differ.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Digest, pathOf } from '../../../gossip/digest.ts'
import { lan, type Member, type Message, type Rumor, Swim } from '../../../gossip/index.ts'
import { encode } from '../../../node/codec.ts'
import { dice, member } from './cluster.ts'
import { Table } from './table.ts'

type Sync = Message & { readonly type: 'sync' }

const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`)

/** Two nodes of one cluster, each with the members that it knows of; both have joined. */
class Pair {
  readonly nodes: ReadonlyMap<string, Swim>
  /** Between the two, in order. */
  readonly said: Sync[] = []

  constructor(one: readonly Member[], other: readonly Member[]) {
    this.nodes = new Map([
      ['one', started('one', [member('other'), ...one])],
      ['other', started('other', [member('one'), ...other])],
    ])
  }

  /** `one` meets `other` again after it held it dead, which makes it compare views; until nobody says more. */
  compare(): void {
    const parts = [['', 0]] as const
    this.#deliver('one', 'other', { type: 'sync', wantsReply: true, rumors: [], parts })
  }

  members(id: string): readonly Member[] {
    return this.nodes.get(id)!.members()
  }

  get bytes(): number {
    return this.said.reduce((sum, message) => sum + encode(message).byteLength, 0)
  }

  #deliver(from: string, to: string, message: Sync): void {
    const { send } = this.nodes.get(to)!.step({ type: 'receive', nowMs: 10, from, message })
    for (const sent of send) {
      if (sent.message.type !== 'sync' || sent.to !== from) continue
      this.said.push(sent.message)
      assert.ok(this.said.length < 20, 'comparing views comes to an end')
      this.#deliver(to, from, sent.message)
    }
  }
}

const started = (id: string, members: readonly Member[]): Swim => {
  const swim = new Swim(member(id), lan(members.length), dice(1))
  swim.step({ type: 'join', nowMs: 0, members })
  swim.step({ type: 'start', nowMs: 0 })
  const joined: Sync = { type: 'sync', wantsReply: false, rumors: [] }
  swim.step({ type: 'receive', nowMs: 1, from: members[0]!.id, message: joined })
  return swim
}

const lives = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 60 })

test('after one comparison both know the newest life of everybody, however many they are', () => {
  fc.assert(
    fc.property(lives, fc.infiniteStream(fc.integer({ min: 1, max: 3 })), (lives, others) => {
      const one = lives.map((incarnation, i) => member(`n${i}`, { incarnation }))
      const other = lives.map((_, i) => member(`n${i}`, { incarnation: others.next().value as number }))
      const pair = new Pair(one, other)
      pair.compare()
      const newest = one.map(({ incarnation }, i) => Math.max(incarnation, other[i]!.incarnation))
      for (const id of ['one', 'other'])
        assert.equal(
          one.map(known => pair.members(id).find(found => found.id === known.id)?.incarnation),
          newest,
        )
    }),
  )
})

test('one difference among a thousand costs little more than among a hundred', () => {
  const bytesAmong = (size: number): number => {
    const members = named(size).map(id => member(id))
    const pair = new Pair([member('n0', { incarnation: 2 }), ...members.slice(1)], members)
    pair.compare()
    assert.is(pair.members('other').find(({ id }) => id === 'n0')?.incarnation, 2)
    return pair.bytes
  }
  const [hundred, thousand] = [bytesAmong(100), bytesAmong(1_000)]
  assert.ok(thousand < 1.5 * hundred && thousand < 1_500, `${hundred} and ${thousand} bytes`)
})

test('a difference that stays does not keep two nodes talking', () => {
  // The one knows of a member that the roster of the other does not list.
  const members = named(100).map(id => member(id))
  const pair = new Pair([member('stranger'), ...members], members)
  pair.compare()
  assert.ok(pair.said.length <= 5)
  assert.is(
    pair.members('other').find(({ id }) => id === 'stranger'),
    undefined,
  )
})

test('a comparison begins with one number, and who sees the same says nothing', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'receive', from: 'b', message: { type: 'sync', wantsReply: false, rumors: [] } })
  table.wait(6_000)
  table.forget()
  table.say({ type: 'peerConnected', id: 'b' })
  const asked = table.sentOf('sync', 'b')[0]!
  assert.equal(
    asked.parts?.map(([path]) => path),
    [''],
  )
  assert.equal(
    asked.rumors.map(rumor => rumor.member.id),
    ['b', 'a'],
  )
  table.forget()
  table.receives('b', { type: 'sync', wantsReply: true, rumors: [], parts: asked.parts ?? [] })
  assert.equal(table.sentOf('sync'), [])
})

test('a node one version back, which knows no parts, asks and is told everything', () => {
  const table = new Table(['b', 'c'])
  table.receives('b', { type: 'sync', wantsReply: true, rumors: [] })
  const reply = table.sentOf('sync', 'b')[0]!
  assert.is(reply.parts, undefined)
  assert.equal(reply.rumors.map(rumor => rumor.member.id).sort(), ['a', 'b', 'c'])
})

test('a whole view is told in messages of bounded size', () => {
  const table = new Table(named(2_000))
  table.receives('n0', { type: 'sync', wantsReply: true, rumors: [] })
  const replies = table.sentOf('sync', 'n0')
  assert.ok(replies.length > 1)
  assert.is(new Set(replies.flatMap(({ rumors }) => rumors.map(rumor => rumor.member.id))).size, 2_001)
  for (const reply of replies) assert.ok(encode(reply).byteLength < 128 * 1_024)
})

const isNews = ({ member }: Rumor): boolean => member.incarnation > 1

/** The incarnations of `id` that rounds of gossip have told. */
const livesToldOf = (table: Table, id: string): number[] =>
  table
    .sentOf('gossip')
    .flatMap(({ rumors }) => rumors)
    .filter(({ member }) => member.id === id)
    .map(({ member }) => member.incarnation)

test('a newcomer passes on nothing of what it is told on joining: to the others it is no news', () => {
  const table = new Table(['b', 'c', 'd'])
  const news = { member: member('c', { incarnation: 7 }), by: 'c' }
  table.receives('b', { type: 'sync', wantsReply: false, rumors: [news] })
  assert.is(table.member('c').incarnation, 7)
  table.wait(300)
  assert.not(livesToldOf(table, 'c').includes(7))
})

test('what pub/sub brings rides on a few messages, and no rounds of gossip are held for it', () => {
  const table = new Table(['b', 'c', 'd'])
  table.say({
    type: 'rumorReceived',
    from: 'b',
    rumor: { member: member('b', { incarnation: 2 }), by: 'b' },
  })
  for (let sequence = 1; sequence <= 5; sequence++)
    table.receives('c', { type: 'ping', sequence, rumors: [] })
  const carried = table.sentOf('ack', 'c').map(({ rumors }) => rumors.some(isNews))
  assert.equal(carried, [true, true, true, false, false])
  table.wait(300)
  assert.not(livesToldOf(table, 'b').includes(2))
})

test('the digest depends on what is believed, not on the order in which it was learned', () => {
  const claims = named(50).map(id => member(id))
  const [one, other] = [new Digest(), new Digest()]
  for (const claim of claims) one.add(claim)
  for (const claim of claims.toReversed()) other.add(claim)
  assert.is(one.hash(''), other.hash(''))
  other.remove(claims[7]!)
  other.add(member('n7', { state: 'suspect' }))
  assert.is.not(one.hash(''), other.hash(''))
  assert.is.not(one.hash(pathOf('n7')), other.hash(pathOf('n7')))
})

test('like changes of many members do not cancel out in the digest', () => {
  const hashes = new Set<number>()
  for (let changed = 0; changed <= 500; changed++) {
    const digest = new Digest()
    for (const [i, id] of named(500).entries()) digest.add(member(id, { incarnation: i < changed ? 2 : 1 }))
    hashes.add(digest.hash(''))
  }
  assert.is(hashes.size, 501)
})

test.run()
