// What the nodes see of each other: the ways that are closed, and those on which large messages are lost.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { judgeMtu, judgeReach, type View } from '../../../node/api/native/doctor-pairs.ts'

const view = (
  from: string,
  node: string,
  sight: Partial<View['sights'][number]> = {},
  mtu = 1_500,
): View => ({
  from,
  mtu,
  sights: [{ node, tookMs: 1, passesLarge: true, why: null, ...sight }],
})
const blind = { tookMs: null, passesLarge: null, why: 'node cedar does not answer' } as const

test('all ways are open, and the slowest is named', () => {
  const found = judgeReach([view('ash', 'birch'), view('birch', 'ash', { tookMs: 80.5 })])
  assert.equal(
    [found.state, found.text],
    ['ok', 'all 2 ways are open; the slowest is from birch to ash, 80.5 ms there and back'],
  )
  assert.is(judgeReach([{ from: 'ash', mtu: null, sights: [] }]).text, 'no other node to reach')
})

test('a way that is closed between two others is found, in its direction', () => {
  const found = judgeReach([view('ash', 'cedar'), view('birch', 'cedar', blind), view('cedar', 'birch')])
  assert.is(found.state, 'warning')
  assert.is(found.text, 'birch does not reach cedar (node cedar does not answer)')
  assert.match(found.try ?? '', /7701/)
})

test('many closed ways are told by a few of them', () => {
  const found = judgeReach(Array.from({ length: 40 }, (_, at) => view(`n${at}`, 'cedar', blind)))
  assert.match(found.text, /n4 does not reach cedar .*; and 35 more$/)
})

test('a path that loses large messages fails, though small ones pass', () => {
  const found = judgeMtu([view('ash', 'birch', { passesLarge: false }), view('birch', 'ash')])
  assert.equal(
    [found.state, found.text],
    ['failure', 'small messages pass and large ones are lost from ash to birch'],
  )
})

test('interfaces that differ are a warning, loopback and the unknown aside', () => {
  const found = judgeMtu([view('ash', 'b', {}, 9_000), view('birch', 'a'), view('cedar', 'a')])
  assert.is(found.state, 'warning')
  assert.match(found.text, /\(birch, cedar 1500, ash 9000\)/)
  assert.is(judgeMtu([view('ash', 'b', {}, 65_536), { ...view('birch', 'a'), mtu: null }]).state, 'ok')
})

test('a node that is not reached at all says nothing about sizes', () => {
  assert.is(judgeMtu([view('ash', 'birch', blind)]).state, 'ok')
})

test.run()
