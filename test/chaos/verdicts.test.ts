/** The short forms of what `npm run chaos -- pair zone-loss flapping` shows: who is given up, when, and where the work goes. */
import { test } from 'uvu'
import { flapping } from './scenarios/verdicts/flapping.ts'
import { pair } from './scenarios/verdicts/pair.ts'
import { zoneLoss } from './scenarios/verdicts/zone-loss.ts'

test(
  'of two nodes one votes: without the other it goes on, without it nothing is decided until a person says so',
  pair,
)

test('a zone that is cut off for a moment moves nothing, one that dies is given up after its time', () =>
  zoneLoss({ isLong: false }))

test('a node that comes and goes gets new work when its probation is over, and not before', () =>
  flapping({ times: 2 }))

test.run()
