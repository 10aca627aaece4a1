import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { escapeJson, escapeLine, escapeLog, escapeText, isDangerous } from '../../../cli/output/escape.ts'

const HOSTILE = [
  '\u001b[2J', // clears the screen
  '\u001b]0;title\u0007', // sets the title
  '\u001b]52;c;ZXZpbA==\u0007', // writes the clipboard
  '\u001b[1A', // moves up
  'a\rb',
  'a\bb',
  '\u0000',
  '\u007f',
  '\u009b2J', // the C1 form of ESC [
  '\u009d0;t\u009c',
  '\u202eevil',
  '\u2066x\u2069',
  'zero\u200bwidth',
  '\ufeff',
  '\u2028',
  '\u00ad',
  '\u{e0041}',
  '\ud800',
]

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is the class that must never come out
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/

test('nothing that moves a cursor, hides or reorders text passes', () => {
  for (const text of HOSTILE) {
    assert.ok(isDangerous(text), JSON.stringify(text))
    assert.not.ok(isDangerous(escapeText(text)), JSON.stringify(text))
    assert.not.ok(isDangerous(escapeLog(text, false)), JSON.stringify(text))
  }
})

test('what was hidden is shown by its number', () => {
  assert.is(escapeLine('\u001b[2Jx'), '\\x1b[2Jx')
  assert.is(escapeLine('\u202eevil'), '\\u202eevil')
  assert.is(escapeLine('\u{e0041}'), '\\u{e0041}')
})

test('newlines and tabs stay in text and are written out in one line', () => {
  assert.is(escapeText('a\n\tb'), 'a\n\tb')
  assert.is(escapeLine('a\n\tb'), 'a\\n\\tb')
})

test('ordinary text of any language stays as it is', () => {
  for (const text of ['plain', 'naïve', '日本語', 'שלום', 'a🎻b', '✔ ● │']) assert.is(escapeLine(text), text)
})

test('a log line keeps its colours, closed at the end, and no other sequence', () => {
  assert.is(escapeLog('\u001b[31mred\u001b[2J', true), '\u001b[31mred\\x1b[2J\u001b[0m')
  assert.is(escapeLog('\u001b[31mred\u001b[0m', false), 'red')
  assert.is(escapeLog('plain', true), 'plain')
})

test('whatever comes in, no forbidden character comes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      assert.not.ok(FORBIDDEN.test(escapeText(text)))
      assert.not.ok(/[\n\t]/.test(escapeLine(text)))
      assert.not.ok(FORBIDDEN.test(escapeLog(text, false)))
      // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR is what may stay
      assert.not.ok(FORBIDDEN.test(escapeLog(text, true).replace(/\u001b\[[0-9;:]*m/g, '')))
    }),
  )
})

test('escaped JSON is the same value to a parser', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const json = escapeJson(JSON.stringify({ text }))
      assert.equal(JSON.parse(json), { text })
      assert.not.ok(FORBIDDEN.test(json))
    }),
  )
})

test.run()
