import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Fleet } from '../bench/membership/fleet.ts'
import { STRIKES, strike } from '../bench/membership/strike.ts'
import { tuttiProgram } from '../bench/membership/tutti.ts'

/** Real nodes on a network of their own: what the bench measures is right, whatever the time it takes. */
const test = suite<{ fleet: Fleet }>('detection')

test.before(async context => {
  context.fleet = await Fleet.open(tuttiProgram(), 5)
})

test.after(async context => {
  await context.fleet?.close()
})

for (const [position, how] of STRIKES.entries())
  test(`all others learn of a node's end by ${how}, also by decree, and find together again`, async ({
    fleet,
  }) => {
    const victim = fleet.agents[position]!
    const { allMs, decreeMs } = await strike(fleet, victim, how)
    assert.ok(allMs > 0)
    assert.ok(decreeMs !== null && decreeMs > 0)
  })

test('a newcomer and the others come to know each other', async ({ fleet }) => {
  const { firstMs, spreadMs, mutualMs } = await fleet.join()
  assert.ok(firstMs > 0 && spreadMs >= 0 && mutualMs >= spreadMs)
  assert.is(fleet.agents.length, 6)
})

test('nobody who was well was held dead', ({ fleet }) => {
  assert.equal(fleet.falseAlarms, [])
})

test.run()
