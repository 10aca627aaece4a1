import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createCluster, hasCaughtUp, tokenCommand } from './world.ts'

test('a voter whose disk went back in time is found out by what it had promised, and votes no more', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = [...world.nodes.values()].find(node => node !== world.leader())!
  const copy = old.disk.copy()
  for (let count = 0; count < 5; count++)
    await world.settle(world.leader().consensus.submit(tokenCommand(), { timeoutMs: 5_000 }))
  await world.until('all have caught up', () => hasCaughtUp(world))
  const { term } = world.leader().consensus.status()
  // Somebody restores the copy while the leader goes on.
  world.kill(old.id)
  old.disk.restore(copy)
  const restored = await world.start(old.id)
  await world.until('it is found out', () => restored.consensus.status().fatal !== null)
  assert.match(
    restored.consensus.status().fatal ?? '',
    /the log ends with entry \d+, and this node has promised/,
  )
  const failure = await restored.consensus.submit(tokenCommand(), { timeoutMs: 1_000 }).then(
    () => null,
    (thrown: Error & { code?: string; hint?: string }) => thrown,
  )
  assert.is(failure?.code, 'E_DISK_DAMAGED')
  assert.match(failure?.hint ?? '', 'tutti repair --force')
  const outcome = await world.settle(world.leader().consensus.submit(tokenCommand(), { timeoutMs: 5_000 }))
  assert.is(outcome.ok, true, 'the others go on')
  assert.is(world.leader().consensus.status().term, term)
})

test.run()
