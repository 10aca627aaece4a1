import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { canonicalText, isSame } from '../../../scheduler/canonical.ts'

const value = fc.jsonValue({ maxDepth: 4 })

test('values are the same exactly when their canonical texts are', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      assert.is(isSame(a, b), canonicalText(a) === canonicalText(b))
      assert.is(isSame(a, JSON.parse(canonicalText(a))), true)
    }),
  )
})

test('one changed leaf makes two values different', () => {
  const spec = { name: 'web', env: { A: '1', B: '2' }, ports: [80, 443] }
  assert.ok(isSame(spec, { ports: [80, 443], env: { B: '2', A: '1' }, name: 'web' }))
  for (const other of [
    { ...spec, env: { A: '1' } },
    { ...spec, env: { A: '1', C: '2' } },
    { ...spec, env: { A: '1', B: '2', C: '3' } },
    { ...spec, ports: [443, 80] },
    { ...spec, ports: [80] },
    { ...spec, ports: { 0: 80, 1: 443 } },
    { ...spec, name: null },
  ])
    assert.not(isSame(spec, other), JSON.stringify(other))
})

test.run()
