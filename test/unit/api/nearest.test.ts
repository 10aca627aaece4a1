import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nearest } from '../../../node/api/nearest.ts'

test('a mistyped name finds its neighbour, a strange one finds nothing', () => {
  assert.is(nearest('wbe', ['web', 'db']), 'web')
  assert.is(nearest('brich', ['ash', 'birch', 'cedar']), 'birch')
  assert.is(nearest('zzzzzz', ['web', 'db']), null)
  assert.is(nearest('web', []), null)
})

test('the beginning of a name is enough', () => {
  assert.is(nearest('checkout', ['checkout-service']), 'checkout-service')
})

test('a name always finds itself, and one edit is never too far', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(11), (name, at) => {
      assert.is(nearest(name, [name]), name)
      const cut = at % name.length
      assert.is(nearest(name.slice(0, cut) + name.slice(cut + 1), [name]), name)
    }),
  )
})

test('a very long word costs nothing', () => {
  assert.is(nearest('x'.repeat(1_000_000), ['web']), null)
})

test.run()
