import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type HealthFacts, healthOf } from '../../../../node/control/health/health.ts'
import { AILING_BELOW } from '../../../../node/control/health/health-watch.ts'

const WELL: HealthFacts = { losses: 0, diskMs: 2, skewMs: 0, startFailures: [] }
const score = (facts: Partial<HealthFacts>): number => healthOf({ ...WELL, ...facts }).score

test('a machine that is well, or of which nothing is known, has all hundred', () => {
  assert.equal(healthOf(WELL), { score: 100, ailments: [] })
  assert.is(score({ diskMs: null, skewMs: null }), 100)
  assert.is(score({ losses: 1 }), 100, 'a restart is no illness')
})

test('more of the same never makes it better', () => {
  const rows: readonly (readonly Partial<HealthFacts>[])[] = [
    [0, 1, 2, 3, 5, 50].map(losses => ({ losses })),
    [1, 32, 64, 256, 1_024, 65_536].map(diskMs => ({ diskMs })),
    [0, 512, 1_024, 65_536].map(skewMs => ({ skewMs: -skewMs })),
    [0, 1, 2, 3, 9].map(count => ({ startFailures: Array.from({ length: count }, (_, at) => `w${at}`) })),
  ]
  for (const row of rows) {
    const scores = row.map(score)
    assert.equal(
      scores,
      scores.toSorted((left, right) => right - left),
    )
    assert.ok((scores.at(-1) ?? 100) < AILING_BELOW, 'the worst of each kind alone makes it ail')
    assert.ok((scores.at(-1) ?? 0) > 0)
  }
})

test('one slight thing alone is no reason, several together are', () => {
  const slight: readonly Partial<HealthFacts>[] = [{ losses: 3 }, { diskMs: 128 }, { skewMs: 2_048 }]
  for (const facts of slight) assert.ok(score(facts) >= AILING_BELOW, JSON.stringify(facts))
  assert.ok(score(Object.assign({}, ...slight)) < AILING_BELOW)
})

test('each cause is named, the worst first', () => {
  const { ailments } = healthOf({
    losses: 2,
    diskMs: 1_024,
    skewMs: -2_048,
    startFailures: ['web', 'db', 'feed', 'cache', 'cron'],
  })
  assert.equal(ailments, [
    'its disk takes 1024 ms for a write',
    'pods of web, db, feed and 2 more do not start here and run elsewhere',
    'its clock is about 2 s behind',
    'it was lost 2 times of late',
  ])
})

test.run()
