import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { splitWords } from '../../../node/api/native/words.ts'

const wordsOf = (text: string): readonly string[] | string => {
  const split = splitWords(text)
  return split.ok ? split.words : split.message
}

test('a line is cut as a shell would', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['  ', []],
    ['a b  c', ['a', 'b', 'c']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`''`, ['']],
    [`a""b`, ['ab']],
    ['a\\ b', ['a b']],
    [`"a\\"b"`, ['a"b']],
    [`"a\\nb"`, ['a\\nb']],
    [`'a\\b'`, ['a\\b']],
    ['a\tb\nc', ['a', 'b', 'c']],
    ['$HOME `x`', ['$HOME', '`x`']],
  ]
  for (const [text, words] of cases) assert.equal(wordsOf(text), words, text)
})

test('what is not closed is refused', () => {
  assert.is(wordsOf(`a 'b`), "has an unclosed '")
  assert.is(wordsOf('a "b'), 'has an unclosed "')
  assert.is(wordsOf('a\\'), 'ends with a lone backslash')
})

test('any words come back when they are quoted', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), words => {
      const line = words.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
      assert.equal(wordsOf(line), words)
    }),
  )
})

test.run()
