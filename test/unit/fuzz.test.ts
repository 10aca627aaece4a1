/** What is malformed brings no node down and changes nothing: some thousands of the million of `npm run chaos -- fuzz`. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzz } from '../chaos/fuzz/fuzz.ts'

test('twenty thousand broken frames, tokens, calls and rumours change nothing', async () => {
  const { count, countOf } = await fuzz({ count: 20_000, seed: 1 })
  assert.is(count, 20_000)
  assert.is(Object.keys(countOf).length, 8, 'of every kind')
})

test.run()
