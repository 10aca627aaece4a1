import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CONTACT_STALE_MS, judge, type Witnessed } from '../../../node/control/verdicts.ts'

const LEADING = { leadingMs: 60_000, unknownGraceMs: 10_000 }

const seen = (parts: Partial<Witnessed>): Witnessed => ({
  id: 'n',
  state: 'alive',
  gossip: 'alive',
  contactMs: 50,
  contactEveryMs: 100,
  ...parts,
})

const verdictOn = (parts: Partial<Witnessed>, leading = LEADING): string | null =>
  judge([seen(parts)], leading)[0]?.state ?? null

test('gossip and Raft together make a node dead', () => {
  assert.is(verdictOn({ gossip: 'dead', contactMs: 2_000 }), 'dead')
  assert.is(verdictOn({ gossip: 'dead', contactMs: null }), 'dead')
})

test('neither of them alone does', () => {
  assert.is(verdictOn({ gossip: 'dead', contactMs: 50 }), null)
  assert.is(verdictOn({ gossip: 'suspect', contactMs: 60_000 }), null)
  assert.is(verdictOn({ gossip: 'alive', contactMs: 60_000 }), null)
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
