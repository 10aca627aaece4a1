import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lan, type Options } from '../../../gossip/index.ts'
import { member } from './cluster.ts'
import { Table } from './table.ts'

test('answers a ping with an ack of the same sequence', () => {
  const table = new Table(['b'])
  table.receives('b', { type: 'ping', sequence: 42, rumors: [] })
  assert.is(table.sentOf('ack', 'b')[0]?.sequence, 42)
})

test('ignores messages from nodes that the roster does not list', () => {
  const table = new Table(['b'])
  table.receives('stranger', { type: 'ping', sequence: 1, rumors: [] })
  table.hears('stranger', member('b', { state: 'suspect' }))
  assert.equal(table.sent, [])
  assert.is(table.stateOf('b'), 'alive')
})

test('ignores rumours about nodes that the roster does not list', () => {
  const table = new Table(['b'])
  table.hears('b', member('ghost'))
  assert.equal(
    table.swim.members().map(({ id }) => id),
    ['a', 'b'],
  )
})

test('tells when a member vouches for a living stranger, and believes no stranger about itself', () => {
  const table = new Table(['b'])
  table.hears('b', member('new'))
  table.hears('b', member('old', { state: 'dead' }))
  table.hears('ghost', member('ghost'))
  assert.equal(
    table.fact('stranger-vouched').map(({ stranger, by }) => [stranger.id, by]),
    [['new', 'b']],
  )
})

test('forgets an expelled member and what is said about it', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'expel', id: 'c' })
  table.hears('b', member('c', { incarnation: 9 }))
  assert.equal(
    table.swim.members().map(({ id }) => id),
    ['a', 'b'],
  )
  assert.equal(table.fact('member-expelled').length, 1)
})

test('falls silent when it is expelled itself', () => {
  const table = new Table(['b'])
  table.say({ type: 'expel', id: 'a' })
  table.forget()
  table.wait(5_000)
  table.receives('b', { type: 'ping', sequence: 1, rumors: [] })
  assert.equal(table.sent, [])
  assert.is(table.swim.status().phase, 'expelled')
})

test('refutes_suspicion_with_a_higher_incarnation', () => {
  const table = new Table(['b'])
  table.hears('b', member('a', { state: 'suspect' }))
  assert.is(table.member('a').incarnation, 2)
  assert.equal(table.fact('self-refuted')[0], {
    type: 'self-refuted',
    claim: 'suspect',
    from: 'b',
    incarnation: 2,
  })
  assert.is(table.published[0]?.member.incarnation, 2)
  assert.is(table.sentOf('gossip', 'b')[0]?.rumors[0]?.member.incarnation, 2)
})

test('refutes_its_own_death_and_farewell', () => {
  for (const state of ['dead', 'left'] as const) {
    const table = new Table(['b'])
    table.hears('b', member('a', { state, incarnation: 5 }))
    assert.is(table.member('a').incarnation, 6)
    assert.is(table.stateOf('a'), 'alive')
  }
})

test('jumps_above_what_others_remember_of_a_former_life', () => {
  const table = new Table(['b'])
  table.hears('b', member('a', { incarnation: 8, addresses: ['old:1'] }), 'a')
  assert.is(table.member('a').incarnation, 9)
  assert.equal(table.member('a').addresses, ['a:7701'])
})

test('tells_a_restarted_member_of_its_former_life', () => {
  const table = new Table(['b'])
  table.hears('b', member('b', { incarnation: 8 }))
  table.forget()
  table.hears('b', member('b', { incarnation: 1, addresses: ['new:1'] }))
  assert.is(table.sentOf('gossip', 'b')[0]?.rumors[0]?.member.incarnation, 8)
})

test('does_not_raise_its_incarnation_for_an_outdated_claim_but_tells_who_believes_it', () => {
  const table = new Table(['b'])
  table.say({ type: 'setMetadata', metadata: { zone: 'x' } })
  table.forget()
  table.hears('b', member('a', { state: 'dead', incarnation: 1 }))
  assert.is(table.member('a').incarnation, 2)
  assert.is(table.sentOf('gossip', 'b').length, 1)
})

test('only a change of its addresses or metadata raises its incarnation', () => {
  const table = new Table(['b'])
  table.say({ type: 'setAddresses', addresses: ['a:7701'] })
  assert.is(table.member('a').incarnation, 1)
  table.say({ type: 'setAddresses', addresses: ['a:9999'] })
  assert.is(table.member('a').incarnation, 2)
  assert.equal(table.published[0]?.member.addresses, ['a:9999'])
})

test('learns newer addresses of a member', () => {
  const table = new Table(['b', 'c'])
  table.hears('c', member('b', { incarnation: 2, addresses: ['moved:1'] }), 'b')
  assert.equal(table.fact('member-changed')[0]?.member.addresses, ['moved:1'])
})

test('asks_helpers_when_a_direct_probe_times_out', () => {
  const table = new Table(['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  assert.is(table.sentOf('ping', 'b').length, 1)
  table.wait(199)
  assert.is(table.sentOf('ping-request').filter(({ target }) => target === 'b').length, 0)
  table.wait(1)
  assert.is(table.sentOf('ping-request').filter(({ target }) => target === 'b').length, 5)
})

test('does_not_suspect_a_member_that_answers_through_a_helper', () => {
  const table = new Table(['b', 'c', 'd'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  const sequence = table.sentOf('ping', 'b')[0]!.sequence
  table.wait(250)
  table.receives('c', { type: 'ack', sequence, rumors: [] })
  table.wait(150)
  assert.is(table.stateOf('b'), 'alive')
})

test('an ack from a node that was not asked proves nothing', () => {
  const table = new Table(['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  const sequence = table.sentOf('ping', 'b')[0]!.sequence
  table.receives('c', { type: 'ack', sequence, rumors: [] })
  table.wait(400)
  assert.is(table.stateOf('b'), 'suspect')
})

test('probes_in_the_place_of_another_and_passes_the_answer_on', () => {
  const table = new Table(['b', 'c'])
  table.receives('b', { type: 'ping-request', sequence: 77, target: 'c', rumors: [] })
  const sequence = table.sentOf('ping', 'c')[0]!.sequence
  table.receives('c', { type: 'ack', sequence, rumors: [] })
  assert.is(table.sentOf('ack', 'b')[0]?.sequence, 77)
})

test('a_helper_says_that_it_is_there_when_the_target_is_not', () => {
  const table = new Table(['b', 'c'])
  table.receives('b', { type: 'ping-request', sequence: 77, target: 'c', rumors: [] })
  table.wait(160)
  assert.is(table.sentOf('nack', 'b')[0]?.sequence, 77)
})

test('a_refused_connection_and_helpers_that_agree_need_no_waiting', () => {
  const table = new Table(['b', 'c', 'd'])
  table.say({ type: 'peerUnreachable', id: 'b' })
  const sequence = table.sentOf('ping', 'b')[0]!.sequence
  assert.is(table.sentOf('ping-request').length, 2)
  table.receives('c', { type: 'nack', sequence, rumors: [] })
  assert.is(table.stateOf('b'), 'alive')
  table.receives('d', { type: 'nack', sequence, rumors: [] })
  assert.is(table.stateOf('b'), 'suspect')
  assert.equal(table.confirmedBy('b'), ['a'])
})

test('a_disconnection_alone_is_no_verdict', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  assert.is(table.stateOf('b'), 'alive')
  assert.is(table.sentOf('ping', 'b').length, 1)
})

test('silence of all helpers is blamed on ourselves too', () => {
  const table = new Table(['b', 'c', 'd'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  table.wait(400)
  assert.ok(table.swim.status().awareness > 0)
})

test('tells_a_suspect_of_the_suspicion_with_the_next_ping', () => {
  const table = new Table(['b', 'c'])
  table.hears('c', member('b', { state: 'suspect' }))
  const ping = table.sentOf('ping', 'b')[0]
  assert.is(ping?.rumors[0]?.member.state, 'suspect')
  assert.is(ping?.rumors[0]?.by, 'c')
})

test('tells_a_member_held_dead_that_speaks_so_that_it_can_refute', () => {
  const table = new Table(['b'])
  table.wait(6_000)
  assert.is(table.stateOf('b'), 'dead')
  table.forget()
  table.receives('b', { type: 'gossip', rumors: [] })
  assert.is(table.sentOf('gossip', 'b')[0]?.rumors[0]?.member.state, 'dead')
  table.hears('b', member('b', { incarnation: 2 }))
  assert.is(table.stateOf('b'), 'alive')
})

test('an accusation counts once for each accuser, and only from its own mouth', () => {
  const table = new Table(['b', 'c', 'd', 'e'])
  table.hears('c', member('b', { state: 'suspect' }), 'd')
  assert.equal(table.confirmedBy('b'), [])
  table.hears('c', member('b', { state: 'suspect' }))
  table.hears('c', member('b', { state: 'suspect' }))
  assert.equal(table.confirmedBy('b'), ['c'])
  table.say({
    type: 'rumorReceived',
    from: 'd',
    rumor: { member: member('b', { state: 'suspect' }), by: 'd' },
  })
  assert.equal(table.confirmedBy('b'), ['c', 'd'])
})

test('one_reporter_cannot_make_a_healthy_member_dead', () => {
  for (const state of ['suspect', 'dead', 'left'] as const) {
    const table = new Table(['b', 'c', 'd', 'e'])
    for (let round = 0; round < 100; round++) {
      table.hears('c', member('b', { state }))
      table.receives('b', { type: 'gossip', rumors: [] })
      table.wait(100)
    }
    assert.is(table.stateOf('b'), 'suspect', `after ${state}`)
    table.hears('b', member('b', { incarnation: 2 }))
    assert.is(table.stateOf('b'), 'alive', `after ${state}`)
  }
})

test('believes a farewell from the subject itself at once', () => {
  const table = new Table(['b', 'c'])
  table.hears('b', member('b', { state: 'left' }))
  assert.is(table.stateOf('b'), 'left')
  assert.equal(table.fact('member-left').length, 1)
})

test('a farewell told by another becomes final unless the subject contradicts', () => {
  const table = new Table(['b', 'c'])
  table.hears('c', member('b', { state: 'left' }), 'b')
  assert.is(table.stateOf('b'), 'suspect')
  table.wait(5_000)
  assert.is(table.stateOf('b'), 'left')
})

test('a_dead_or_departed_member_returns_with_a_higher_incarnation_only', () => {
  const table = new Table(['b', 'c'])
  table.hears('b', member('b', { state: 'left' }))
  table.hears('b', member('b'))
  assert.is(table.stateOf('b'), 'left')
  table.hears('b', member('b', { incarnation: 2 }))
  assert.is(table.stateOf('b'), 'alive')
  assert.is(table.fact('member-alive')[0]?.before, 'left')
})

test('a_stale_suspicion_deadline_is_harmless_after_a_refutation', () => {
  const table = new Table(['b', 'c'])
  table.hears('c', member('b', { state: 'suspect' }))
  table.hears('b', member('b', { incarnation: 2 }))
  const sequence = table.sentOf('ping', 'b')[0]!.sequence
  table.receives('b', { type: 'ack', sequence, rumors: [] })
  table.say({
    type: 'timerFired',
    timer: { type: 'suspicion-deadline', id: 'b', incarnation: 1, token: 0, dueMs: table.nowMs },
  })
  assert.is(table.stateOf('b'), 'alive')
})

test('after_standing_still_it_waits_once_more_before_it_blames_others', () => {
  const table = new Table(['b', 'c', 'd', 'e'])
  table.hears('c', member('b', { state: 'suspect' }))
  table.freeze(10_000)
  table.wait(100)
  assert.is(table.stateOf('b'), 'suspect')
  assert.is(table.fact('stalled').length, 1)
  table.hears('b', member('b', { incarnation: 2 }))
  assert.is(table.stateOf('b'), 'alive')
})

test('after_standing_still_a_probe_waits_once_more_for_its_answer', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'peerDisconnected', id: 'b' })
  const sequence = table.sentOf('ping', 'b')[0]!.sequence
  table.freeze(10_000)
  table.wait(50)
  assert.is(table.stateOf('b'), 'alive')
  table.receives('b', { type: 'ack', sequence, rumors: [] })
  table.wait(150)
  assert.is(table.stateOf('b'), 'alive')
})

test('refused dials of its own probes do not start ever more probes', () => {
  const table = new Table(['b'])
  for (let refusal = 0; refusal < 50; refusal++) table.say({ type: 'peerUnreachable', id: 'b' })
  assert.is(table.stateOf('b'), 'suspect')
  assert.is(table.sentOf('ping', 'b').length, 1)
})

test('says farewell directly and by pub/sub, and answers nothing afterwards', () => {
  const table = new Table(['b', 'c'])
  table.say({ type: 'leave' })
  assert.equal(table.sent.map(({ to }) => to).sort(), ['b', 'c'])
  assert.is(table.published[0]?.member.state, 'left')
  table.forget()
  table.hears('b', member('a', { state: 'left' }))
  table.wait(2_000)
  assert.equal(table.sent, [])
})

test('a node that left returns above its farewell', () => {
  const table = new Table(['b'])
  table.say({ type: 'leave' })
  table.say({ type: 'start' })
  assert.is(table.member('a').incarnation, 2)
  assert.is(table.stateOf('a'), 'alive')
})

test('asks known members for their full state on joining, until one answers', () => {
  const table = new Table([])
  table.say({ type: 'join', members: [member('b'), member('c')] })
  assert.is(table.sentOf('sync').length, 2)
  assert.not(table.swim.status().hasJoined)
  table.receives('b', {
    type: 'sync',
    wantsReply: false,
    rumors: [{ member: member('c', { incarnation: 4 }), by: 'c' }],
  })
  assert.ok(table.swim.status().hasJoined)
  assert.is(table.member('c').incarnation, 4)
})

test('answers a sync with everything it believes, the asker first', () => {
  const table = new Table(['b', 'c'])
  table.receives('b', { type: 'sync', wantsReply: true, rumors: [] })
  const reply = table.sentOf('sync', 'b')[0]
  assert.not(reply?.wantsReply)
  assert.equal(
    reply?.rumors.map(rumor => rumor.member.id),
    ['b', 'a', 'c'],
  )
})

test('asks a dead member for its state now and then, and at once when it connects', () => {
  const table = new Table(['b'])
  table.wait(6_000)
  table.forget()
  table.wait(2_500)
  assert.ok(table.sentOf('sync', 'b').length >= 1)
  table.forget()
  table.say({ type: 'peerConnected', id: 'b' })
  assert.is(table.sentOf('sync', 'b').length, 1)
})

test('the roster admits a member as alive, and its own first word counts more', () => {
  const table = new Table(['b'])
  table.say({ type: 'admit', id: 'z', addresses: ['z:1'], metadata: {} })
  assert.is(table.member('z').incarnation, 0)
  table.hears('z', member('z', { addresses: ['z:2'] }))
  assert.equal(table.member('z').addresses, ['z:2'])
  table.say({ type: 'admit', id: 'z', addresses: ['z:1'], metadata: {} })
  assert.equal(table.member('z').addresses, ['z:2'])
})

test('new options count for what begins afterwards, and wrong ones are a bug', () => {
  const deathsWith = (options: Options | null): number => {
    const table = new Table(['b'])
    if (options !== null) table.say({ type: 'setOptions', options })
    table.wait(2_000)
    return table.fact('member-dead').length
  }
  assert.is(deathsWith(null), 1)
  assert.is(deathsWith({ ...lan(5), suspicionMinMs: 5_000, suspicionMaxMs: 5_000 }), 0)
  assert.throws(() => deathsWith({ ...lan(5), suspicionMinMs: Number.NaN }), /suspicionMinMs/)
})

test.run()
