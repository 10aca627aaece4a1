import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Bench,
  CONTACT_STALE_MS,
  judge,
  LONE_WORD_MS,
  type Witnessed,
} from '../../../node/control/verdicts.ts'

const LEADING: Bench = { self: 'l', leadingMs: 60_000, hasQuorum: true, unknownGraceMs: 10_000 }

const seen = (id: string, parts: Partial<Witnessed> = {}): Witnessed => ({
  id,
  name: `node-${id}`,
  zone: null,
  state: 'alive',
  gossip: 'alive',
  accusers: [],
  doubtedMs: null,
  contactMs: 50,
  contactEveryMs: 100,
  ...parts,
})

/** A node that another member has found silent too. */
const accused = (parts: Partial<Witnessed>): Witnessed => seen('n', { accusers: ['l', 'o'], ...parts })

const judged = (node: Witnessed, bench: Bench = LEADING, others = [seen('o')]) =>
  judge([seen('l', { contactMs: 0 }), node, ...others], bench)

const verdictOn = (parts: Partial<Witnessed>, bench?: Bench): string | null =>
  judged(accused(parts), bench)[0]?.state ?? null

test('gossip, Raft and another node that has looked make a node dead together', () => {
  assert.is(verdictOn({ gossip: 'dead', contactMs: 2_000 }), 'dead')
  assert.is(verdictOn({ gossip: 'dead', contactMs: null }), 'dead')
  assert.is(
    judged(accused({ gossip: 'dead', contactMs: null }))[0]?.reason,
    'it answers neither node-o nor the leader',
  )
})

test('a node that was let in and has not spoken yet may only be slow to start', () => {
  const gone = { gossip: 'dead', contactMs: null } as const
  assert.is(verdictOn({ ...gone, unspokenMs: 9_999 }), null)
  assert.is(verdictOn({ ...gone, unspokenMs: 10_000 }), 'dead')
})

test('none of them alone does', () => {
  assert.is(verdictOn({ gossip: 'dead', contactMs: 50 }), null)
  assert.is(verdictOn({ gossip: 'suspect', contactMs: 60_000 }), null)
  assert.is(verdictOn({ gossip: 'alive', contactMs: 60_000 }), null)
})

test('one reporter is not enough while another node could look', () => {
  const dead = { gossip: 'dead', contactMs: 2_000, doubtedMs: 3_000 } as const
  for (const accusers of [['l'], [], ['n'], ['stranger']])
    assert.is(verdictOn({ ...dead, accusers }), null, accusers.join())
  const gone = seen('o', { state: 'dead', contactMs: null })
  const node = accused(dead)
  assert.is(judged(node, LEADING, [gone, seen('p')])[0], undefined, 'the word of one who is dead itself')
})

test('what the leader alone says, and nobody refutes for long, is true', () => {
  const alone = { gossip: 'dead', contactMs: null, accusers: ['l'] } as const
  assert.is(verdictOn({ ...alone, doubtedMs: LONE_WORD_MS - 1 }), null)
  assert.is(verdictOn({ ...alone, doubtedMs: LONE_WORD_MS }), 'dead')
})

test('of two nodes the one that leads decides about the other', () => {
  const node = seen('n', { gossip: 'dead', contactMs: 2_000, accusers: ['l'], doubtedMs: 0 })
  assert.is(judged(node, LEADING, [])[0]?.state, 'dead')
  const silent = seen('o', { contactMs: 9_000 })
  assert.is(judged(node, LEADING, [silent])[0]?.state, 'dead', 'whoever is silent too cannot be asked')
})

test('a leader that no quorum follows declares nobody dead', () => {
  const lone = { ...LEADING, hasQuorum: false }
  assert.is(verdictOn({ gossip: 'dead', contactMs: null }, lone), null)
  assert.is(verdictOn({ gossip: 'left', contactMs: null }, lone), null)
  assert.is(verdictOn({ gossip: null, contactMs: null }, lone), null)
})

test('one that is heard of more seldom is given as many chances', () => {
  assert.is(verdictOn({ gossip: 'dead', contactMs: 1_400, contactEveryMs: 500 }), null)
  assert.is(verdictOn({ gossip: 'dead', contactMs: 1_500, contactEveryMs: 500 }), 'dead')
  assert.is(verdictOn({ gossip: 'dead', contactMs: 300, contactEveryMs: 25 }), 'dead')
  assert.is(verdictOn({ state: 'dead', contactMs: 1_400, contactEveryMs: 500 }), 'alive')
})

test('a new leader believes ill of nobody before it could have heard of everybody', () => {
  const early = { ...LEADING, leadingMs: CONTACT_STALE_MS - 1 }
  assert.is(verdictOn({ gossip: 'dead', contactMs: null }, early), null)
})

test('a dead node that both hear again is alive', () => {
  assert.is(verdictOn({ state: 'dead' }), 'alive')
  assert.is(verdictOn({ state: 'dead', gossip: 'suspect' }), null)
  assert.is(verdictOn({ state: 'dead', contactMs: 5_000 }), null)
})

test('a verdict is not repeated, and one who left is left alone', () => {
  assert.is(verdictOn({ state: 'dead', gossip: 'dead', contactMs: 60_000 }), null)
  assert.is(verdictOn({ state: 'left', gossip: 'dead', contactMs: null }), null)
})

test('a node that nobody has met is dead after a grace', () => {
  assert.is(verdictOn({ gossip: null, contactMs: 9_000 }), null)
  assert.is(verdictOn({ gossip: null, contactMs: 11_000 }), 'dead')
  assert.is(verdictOn({ gossip: null, contactMs: null }, { ...LEADING, leadingMs: 9_000 }), null)
  assert.is(verdictOn({ gossip: null, contactMs: 50 }), null)
})

test.run()
