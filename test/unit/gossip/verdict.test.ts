// When a suspicion becomes a verdict, and what cannot bring one about.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lan } from '../../../gossip/index.ts'
import { INCARNATION_LEAP_MAX } from '../../../gossip/member.ts'
import { member } from './cluster.ts'
import { Table } from './table.ts'

const suspected = (id: string, incarnation = 1) => member(id, { state: 'suspect', incarnation })

/** Time passes in small steps; those named answer every probe of them. */
const answering = (table: Table, ids: readonly string[], ms: number): void => {
  const answered = new Set<number>()
  for (let spentMs = 0; spentMs < ms; spentMs += 10) {
    table.wait(10)
    for (const id of ids)
      for (const { sequence } of table.sentOf('ping', id)) {
        if (answered.has(sequence)) continue
        answered.add(sequence)
        table.receives(id, { type: 'ack', sequence, rumors: [] })
      }
  }
}

/** `id` refuses to be dialled, and the helpers agree. */
const refusedBy = (table: Table, id: string, helpers: readonly string[]): void => {
  table.say({ type: 'peerUnreachable', id })
  const sequence = table.sentOf('ping', id)[0]!.sequence
  for (const helper of helpers) table.receives(helper, { type: 'nack', sequence, rumors: [] })
}

test('one reporter is not enough: whoever heard only its word looks for itself before a verdict', () => {
  // So many that nobody's turn to be probed comes by itself.
  const others = Array.from({ length: 200 }, (_, i) => `n${i}`)
  const table = new Table(['b', 'c', ...others])
  table.hears('c', suspected('b'))
  answering(table, ['b'], 20_000)
  assert.equal(
    table.fact('member-dead').filter(fact => fact.member.id === 'b'),
    [],
  )
})

test('two reporters that looked for themselves are enough', () => {
  const table = new Table(['b', 'c', 'd', 'e'])
  table.hears('c', suspected('b'))
  table.hears('d', suspected('b'))
  table.wait(lan(5).suspicionMaxMs)
  assert.is(table.stateOf('b'), 'dead')
})

test('a node that is not well itself waits longer, but not against the word of enough others', () => {
  const suspectedBy = (accusers: readonly string[]): Table => {
    const table = new Table(['b', 'c', 'd', 'e'])
    // It has to refute: a sign that it is slow.
    table.hears('c', suspected('a'))
    assert.is(table.swim.status().awareness, 1)
    for (const accuser of accusers) table.hears(accuser, suspected('b'))
    table.wait(lan(5).suspicionMinMs + 1)
    return table
  }
  assert.is(suspectedBy(['c', 'd']).stateOf('b'), 'suspect')
  assert.is(suspectedBy(['c', 'd', 'e']).stateOf('b'), 'dead')
})

test('a host that refuses two of us shortens the time to refute to a moment', () => {
  const table = new Table(['b', 'c', 'd'])
  refusedBy(table, 'b', ['c', 'd'])
  table.wait(lan(5).goneMs)
  assert.is(table.stateOf('b'), 'suspect')
  table.say({
    type: 'rumorReceived',
    from: 'c',
    rumor: { member: suspected('b'), by: 'c', isRefused: true },
  })
  table.wait(1)
  assert.is(table.stateOf('b'), 'dead')
})

test('the refusal is told with the accusation', () => {
  const table = new Table(['b', 'c', 'd'])
  refusedBy(table, 'b', ['c', 'd'])
  table.wait(lan(5).goneMs)
  assert.ok(table.published.some(({ member, isRefused }) => member.id === 'b' && isRefused === true))
})

test('of all that a host refuses at once, the first few tell everybody, and the others hold their tongues', () => {
  const table = new Table(['b', 'c', 'd', 'e'])
  refusedBy(table, 'b', ['c', 'd', 'e'])
  for (const from of ['c', 'd'])
    table.say({ type: 'rumorReceived', from, rumor: { member: suspected('b'), by: from, isRefused: true } })
  table.wait(2 * lan(5).goneMs)
  assert.is(table.stateOf('b'), 'dead')
  assert.not(table.published.some(({ member }) => member.id === 'b'))
})

test('a refusal that its subject has outlived is not told any more', () => {
  const table = new Table(['b', 'c', 'd'])
  refusedBy(table, 'b', ['c', 'd'])
  table.hears('b', member('b', { incarnation: 2 }))
  table.wait(lan(5).goneMs)
  assert.not(table.published.some(({ member }) => member.id === 'b'))
})

test('one that claims a refusal alone shortens nothing', () => {
  const table = new Table(['b', 'c', 'd', 'e'])
  for (let round = 0; round < 5; round++)
    table.receives('c', { type: 'gossip', rumors: [{ member: suspected('b'), by: 'c', isRefused: true }] })
  table.wait(lan(5).suspicionMinMs / 2)
  assert.is(table.stateOf('b'), 'suspect')
})

test('between two nodes one refusal is all there can be', () => {
  const table = new Table(['b'])
  refusedBy(table, 'b', [])
  table.wait(lan(2).goneMs)
  assert.is(table.stateOf('b'), 'dead')
})

test('one that speaks after its host has refused us is not gone', () => {
  const table = new Table(['b'])
  refusedBy(table, 'b', [])
  table.wait(lan(2).goneMs / 2)
  table.receives('b', { type: 'gossip', rumors: [] })
  table.wait(lan(2).goneMs)
  assert.is(table.stateOf('b'), 'suspect')
})

test('the word of a third party cannot carry an incarnation beyond what its subject can outbid', () => {
  const table = new Table(['b', 'c', 'd'])
  for (const state of ['alive', 'suspect', 'dead', 'left'] as const)
    table.hears('c', member('b', { state, incarnation: 2 + INCARNATION_LEAP_MAX }))
  assert.is(table.member('b').incarnation, 1)
  assert.is(table.stateOf('b'), 'alive')
  table.hears('b', member('b', { incarnation: 2 + INCARNATION_LEAP_MAX }))
  assert.is(table.member('b').incarnation, 2 + INCARNATION_LEAP_MAX)
})

test('an accuser has no say in where its subject is reached', () => {
  for (const state of ['suspect', 'dead', 'left'] as const) {
    const table = new Table(['b', 'c', 'd'])
    table.hears('c', member('b', { state, addresses: ['evil:1'], metadata: { name: 'mallory' } }))
    assert.equal(table.member('b').addresses, ['b:7701'])
    assert.equal(table.member('b').metadata, { name: 'b' })
  }
})

test('a probe that fails says nothing of a member that has spoken since it began', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  table.wait(300)
  table.receives('b', { type: 'gossip', rumors: [] })
  table.wait(110)
  assert.is(table.stateOf('b'), 'alive')
})

test('a probe that fails says nothing of a life that began after it', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  table.wait(300)
  table.say({
    type: 'rumorReceived',
    from: 'c',
    rumor: { member: member('b', { incarnation: 2 }), by: 'b' },
  })
  table.wait(110)
  assert.is(table.stateOf('b'), 'alive')
})

test('a confirmation that leaves no time is no sign that we stood still', () => {
  const table = new Table(['b', 'c', 'd', 'e'])
  table.hears('c', suspected('b'))
  answering(table, ['c', 'd', 'e'], 1_000)
  assert.is(table.stateOf('b'), 'suspect')
  table.hears('d', suspected('b'))
  table.hears('e', suspected('b'))
  table.wait(1)
  assert.is(table.stateOf('b'), 'dead')
  assert.equal(table.fact('stalled'), [])
})

test('more accusers than are needed are not passed on, but our own word counts', () => {
  const others = ['c', 'd', 'e', 'f', 'g', 'h', 'i']
  const table = new Table(['b', ...others])
  for (const accuser of others) table.hears(accuser, suspected('b'))
  assert.is(table.confirmedBy('b').length, 4)
  table.wait(410)
  assert.equal(table.confirmedBy('b').slice(4), ['a'])
  assert.not(table.published.some(({ by }) => by === 'a'))
})

test('a lost message costs no suspicion: the member is asked once more when its helpers are', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  table.wait(200)
  const sequences = table.sentOf('ping', 'b').map(({ sequence }) => sequence)
  assert.is(sequences.length, 2)
  assert.is(sequences[0], sequences[1])
})

test.run()
