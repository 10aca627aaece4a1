import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Awareness } from '../../../gossip/awareness.ts'
import { lan, local, wan } from '../../../gossip/index.ts'
import { neighboursOf } from '../../../gossip/neighbours.ts'
import { checkOptions } from '../../../gossip/options.ts'
import { Peers } from '../../../gossip/peers.ts'
import { Rumors } from '../../../gossip/rumors.ts'
import { suspicionTimeoutMs } from '../../../gossip/suspicion.ts'
import { dice, member } from './cluster.ts'

const wide = { bytesMax: 1_000_000, repeatMax: 3 }

test('a suspicion lasts its maximum while nobody confirms it', () => {
  assert.is(suspicionTimeoutMs({ minMs: 800, maxMs: 2_400, wanted: 2, confirmations: 0 }), 2_400)
})

test('each confirmation shortens a suspicion, the first most, down to the minimum', () => {
  const span = { minMs: 800, maxMs: 2_400, wanted: 2 }
  const [none, one, two] = [0, 1, 2].map(confirmations => suspicionTimeoutMs({ ...span, confirmations }))
  assert.ok(none! - one! > one! - two!)
  assert.is(two, 800)
})

test('a suspicion never ends before its minimum, however many confirm it', () => {
  fc.assert(
    fc.property(fc.nat(10), fc.nat(5), (confirmations, wanted) => {
      const ms = suspicionTimeoutMs({ minMs: 800, maxMs: 2_400, wanted, confirmations })
      assert.ok(ms >= 800 && ms <= 2_400)
    }),
  )
})

test('a suspicion that nobody could confirm lasts its minimum', () => {
  assert.is(suspicionTimeoutMs({ minMs: 800, maxMs: 2_400, wanted: 0, confirmations: 0 }), 800)
})

test('awareness makes waits longer, within its limit, and recovers', () => {
  const awareness = new Awareness(2)
  for (let failure = 0; failure < 5; failure++) awareness.worsen()
  assert.is(awareness.scale(100), 300)
  for (let success = 0; success < 5; success++) awareness.improve()
  assert.is(awareness.scale(100), 100)
})

test('a rumour is told a limited number of times', () => {
  const rumors = new Rumors()
  rumors.add({ member: member('b'), by: 'b' }, true)
  const told = Array.from({ length: 5 }, () => rumors.take('c', wide).length)
  assert.equal(told, [1, 1, 1, 0, 0])
})

test('the least told rumour goes first, then the newest', () => {
  const rumors = new Rumors()
  const one = { bytesMax: 130, repeatMax: 3 }
  for (const id of ['b', 'c', 'd']) rumors.add({ member: member(id), by: id }, true)
  const told = Array.from({ length: 4 }, () => rumors.take('x', one).map(rumor => rumor.member.id))
  assert.equal(told, [['d'], ['c'], ['b'], ['d']])
})

test('rumours on one message stay within their bytes', () => {
  const rumors = new Rumors()
  for (let i = 0; i < 100; i++) rumors.add({ member: member(`node-${i}`), by: 'a' }, true)
  const taken = rumors.take('x', { bytesMax: 2_000, repeatMax: 3 })
  assert.ok(taken.length > 5 && JSON.stringify(taken).length < 4_000)
})

test('a newer rumour about a node replaces the older', () => {
  const rumors = new Rumors()
  rumors.add({ member: member('b'), by: 'b' }, true)
  rumors.add({ member: member('b', { state: 'suspect' }), by: 'a' }, true)
  assert.equal(
    rumors.take('c', wide).map(rumor => rumor.member.state),
    ['suspect'],
  )
})

test('nobody is told rumours about itself as piggyback', () => {
  const rumors = new Rumors()
  rumors.add({ member: member('b'), by: 'b' }, true)
  assert.equal(rumors.take('b', wide), [])
})

test('each round of probes reaches every running member exactly once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 15 }), fc.nat(), (size, seed) => {
      const peers = new Peers('a', dice(seed))
      const ids = Array.from({ length: size }, (_, i) => `n${i}`)
      for (const id of ids) peers.set(member(id))
      for (let round = 0; round < 3; round++) {
        const probed = ids.map(() => peers.nextToProbe()?.id)
        assert.is(new Set(probed).size, size)
      }
    }),
  )
})

test('in a large cluster each round of probes reaches every neighbour exactly once', () => {
  const peers = new Peers('a', dice(3))
  for (let i = 0; i < 100; i++) peers.set(member(`n${i}`))
  const { size } = peers.neighbours
  assert.ok(size <= 14)
  for (let round = 0; round < 3; round++) {
    const probed = Array.from({ length: size }, () => peers.nextToProbe()!.id)
    assert.equal(probed.toSorted(), [...peers.neighbours].toSorted())
  }
})

test('when a neighbour dies another takes its place', () => {
  const peers = new Peers('a', dice(3))
  for (let i = 0; i < 100; i++) peers.set(member(`n${i}`))
  for (let deaths = 0; deaths < 90; deaths++) {
    const [victim] = peers.neighbours
    peers.set(member(victim!, { state: 'dead' }))
    assert.not(peers.neighbours.has(victim!))
    assert.ok(peers.neighbours.size >= 2)
  }
  assert.ok(peers.isFullMesh)
})

test('helpers are neighbours of ours and of the one that does not answer', () => {
  const peers = new Peers('a', dice(3))
  for (let i = 0; i < 100; i++) peers.set(member(`n${i}`))
  const [target] = peers.neighbours
  const theirs = neighboursOf(
    target!,
    ['a', ...peers.all().map(({ id }) => id)].filter(id => id !== target),
  )
  const helpers = peers.pickHelpers(5, target!, 'both').map(({ id }) => id)
  assert.is(new Set(helpers).size, 5)
  assert.ok(helpers.filter(id => peers.neighbours.has(id)).length >= 3)
  assert.ok(helpers.filter(id => theirs.has(id)).length >= 2)
  assert.not(helpers.includes(target!))
  for (const { id } of peers.pickHelpers(5, target!, 'near')) assert.ok(peers.neighbours.has(id))
})

test('the dead and the departed are not probed', () => {
  const peers = new Peers('a', dice(1))
  peers.set(member('b', { state: 'dead' }))
  peers.set(member('c', { state: 'left' }))
  assert.is(peers.nextToProbe(), undefined)
  peers.set(member('d', { state: 'suspect' }))
  assert.is(peers.nextToProbe()?.id, 'd')
})

test('a random choice never repeats a member and obeys its condition', () => {
  const peers = new Peers('a', dice(2))
  for (let i = 0; i < 10; i++) peers.set(member(`n${i}`, { state: i < 4 ? 'alive' : 'dead' }))
  const ids = peers.pick(8, ({ state }) => state === 'alive').map(({ id }) => id)
  assert.equal(ids.sort(), ['n0', 'n1', 'n2', 'n3'])
})

test('every preset is valid, and doubts grow only gently with the size of a cluster', () => {
  for (const options of [lan(1), lan(5), lan(1_000), wan(5), wan(1_000), local(3), local(100)])
    checkOptions(options)
  assert.ok(lan(1_000).suspicionMinMs <= 1.6 * lan(5).suspicionMinMs)
})

test('a preset whose probe leaves helpers no time is refused', () => {
  assert.throws(() => checkOptions({ ...lan(5), probeTimeoutMs: 400 }), /helpers/)
})

test.run()
