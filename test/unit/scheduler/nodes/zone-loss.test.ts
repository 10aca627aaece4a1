import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ZONE_LOSS_MS_DEFAULT, zoneLossMsOf } from '../../../../scheduler/index.ts'
import { World } from '../fixtures.ts'

test('how long the work of a lost zone waits is a setting of the cluster, with a default', () => {
  const world = new World().init('ash')
  assert.is(zoneLossMsOf(world.state.cluster), ZONE_LOSS_MS_DEFAULT)
  world.ok({ type: 'cluster/SetZoneLoss', waitMs: 90_000 })
  assert.is(zoneLossMsOf(world.state.cluster), 90_000)
  assert.match(world.events.at(-1)?.text ?? '', /moves after 90 s/)
  world.ok({ type: 'cluster/SetZoneLoss', waitMs: null })
  assert.is(zoneLossMsOf(world.state.cluster), null)
  assert.match(world.events.at(-1)?.text ?? '', /waits until it is back/)
  const told = world.events.length
  world.ok({ type: 'cluster/SetZoneLoss', waitMs: null })
  assert.is(world.events.length, told, 'nothing has changed')
})

test('nonsense is refused', () => {
  const world = new World().init('ash')
  for (const waitMs of [-1, 1.5, Number.NaN, 25 * 3_600_000])
    world.refused({ type: 'cluster/SetZoneLoss', waitMs }, 'E_INVALID')
})

test.run()
