import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { member } from './cluster.ts'
import { Table } from './table.ts'

/** The node has found c dead alone: b said nothing. */
const alone = (): Table => {
  const table = new Table(['b', 'c'])
  table.hears('b', member('c', { state: 'suspect' }), 'somebody')
  table.wait(20_000)
  assert.is(table.stateOf('c'), 'dead')
  assert.not.ok(table.confirmedBy('c').includes('b'))
  table.forget()
  return table
}

test('whoever finds a dead member dead later is counted among those that have looked, once', () => {
  for (const state of ['suspect', 'dead'] as const) {
    const table = alone()
    table.hears('b', member('c', { state }))
    table.hears('b', member('c', { state }))
    assert.ok(table.confirmedBy('c').includes('b'))
    assert.is(table.fact('suspicion-confirmed').length, 1)
    assert.is(table.stateOf('c'), 'dead')
  }
})

test('a word that is passed on, or is about an earlier life, is no testimony', () => {
  const table = alone()
  table.hears('b', member('c', { state: 'dead' }), 'somebody')
  table.hears('b', member('c', { state: 'suspect', incarnation: 0 }))
  assert.not.ok(table.confirmedBy('c').includes('b'))
})

test.run()
