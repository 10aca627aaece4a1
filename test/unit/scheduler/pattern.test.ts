import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePattern } from '../../../scheduler/pattern.ts'

const matches = (pattern: string, value: string): boolean => {
  const compiled = compilePattern(pattern)
  if (!compiled.ok) throw new Error(compiled.problem)
  return compiled.matches(value)
}

test('a pattern is found anywhere unless it is anchored', () => {
  assert.ok(matches('eu', 'zone-eu-1'))
  assert.not(matches('^eu', 'zone-eu-1'))
  assert.ok(matches('^zone-(eu|us)-\\d+$', 'zone-us-42'))
  assert.not(matches('^zone-(eu|us)-\\d+$', 'zone-as-42'))
  assert.ok(matches('', ''))
  assert.ok(matches('^$', ''))
})

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '(?:a|b)', '(ab)', '[a-c1]', '\\.')
const quantifier = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,}', '{0,2}')
const piece = fc.tuple(atom, quantifier).map(parts => parts.join(''))
const branch = fc.array(piece, { minLength: 1, maxLength: 4 }).map(parts => parts.join(''))
const pattern = fc
  .record({
    start: fc.constantFrom('', '^'),
    end: fc.constantFrom('', '$'),
    branches: fc.array(branch, { minLength: 1, maxLength: 3 }),
  })
  .map(({ start, end, branches }) => `${start}(${branches.join('|')})${end}`)

test('it matches as the built-in expressions do', () => {
  const value = fc
    .array(fc.constantFrom('a', 'b', 'c', '1', '.'), { maxLength: 8 })
    .map(parts => parts.join(''))
  fc.assert(
    fc.property(pattern, value, (text, sample) => {
      assert.is(matches(text, sample), new RegExp(text).test(sample), `/${text}/ on "${sample}"`)
    }),
    { numRuns: 2_000, seed: 6 },
  )
})

test('a pattern that would stall a backtracking engine takes no time', () => {
  const started = performance.now()
  assert.not(matches('^(a*)*(a|a)*(a*)*$', `${'a'.repeat(62)}b`))
  assert.not(matches('^(a?){30}(a+)+$', `${'a'.repeat(62)}b`))
  assert.ok(performance.now() - started < 1_000)
})

test('a malformed or oversized pattern is refused with its place', () => {
  for (const bad of [
    '(',
    ')',
    '[',
    '[]',
    'a**',
    '*',
    '+a',
    '^*',
    'a{2',
    'a{3,2}',
    'a{99}',
    '\\',
    '\\q',
    '(?=a)',
    '[z-a]',
    'a{,2}',
  ]) {
    const compiled = compilePattern(bad)
    assert.not(compiled.ok, bad)
    if (!compiled.ok) assert.match(compiled.problem, /at character \d+/)
  }
  assert.not(compilePattern('a'.repeat(101)).ok)
  assert.not(compilePattern('((a{63}){63}){63}').ok)
})

test.run()
