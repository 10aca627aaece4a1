import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeStyle, wantsColour } from '../../../cli/output/style.ts'

const asked = {
  flag: true,
  isTTY: true,
  forceColor: undefined,
  noColor: undefined,
  term: 'xterm',
  ci: undefined,
}

test('a terminal is coloured, a pipe is not', () => {
  assert.is(wantsColour(asked), true)
  assert.is(wantsColour({ ...asked, isTTY: false }), false)
})

test('NO_COLOR, TERM=dumb and CI mean no colour', () => {
  assert.is(wantsColour({ ...asked, noColor: '1' }), false)
  assert.is(wantsColour({ ...asked, noColor: '' }), true)
  assert.is(wantsColour({ ...asked, term: 'dumb' }), false)
  assert.is(wantsColour({ ...asked, ci: 'true' }), false)
})

test('FORCE_COLOR is stronger than a pipe, FORCE_COLOR=0 stronger than a terminal', () => {
  assert.is(wantsColour({ ...asked, isTTY: false, forceColor: '1', noColor: '1' }), true)
  assert.is(wantsColour({ ...asked, forceColor: '0' }), false)
})

test('--no-color is stronger than everything', () => {
  assert.is(wantsColour({ ...asked, flag: false, forceColor: '1' }), false)
})

test('the four kinds of state have glyphs of their own', () => {
  const { state } = makeStyle({ hasColour: false, isAscii: false })
  assert.equal(['running', 'starting', 'pending', 'failed', 'never heard of'].map(state), [
    '● running',
    '◐ starting',
    '○ pending',
    '✗ failed',
    '○ never heard of',
  ])
})

test.run()
