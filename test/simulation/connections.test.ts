/** A cluster too large for a full mesh: whole nodes, each with connections to a few others, and everything works as before. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { firstOf, type Transport } from '../../node/transport/transport.ts'
import type { Machine } from './machine.ts'
import { Stage } from './stage.ts'

const SIZE = 24
/** Two on each of five rings, and the other voters. */
const KEPT_MAX = 2 * 5 + 4
/** Longer than a connection at rest stays, and the look at it. */
const REST_MS = 90_000
const KNOWN_WITHIN_MS = 5_000

const transportOf = (machine: Machine): Transport => machine.program!.transport

/** Without a word of others: what gossip holds of it there. */
const holdsDead = (by: Machine, of: Machine): boolean =>
  by.node?.members().find(({ id }) => id === of.id)?.state === 'dead'

test('connections are few, a death is known to all, and whoever is not connected is reached', async () => {
  const stage = await Stage.raise(SIZE)
  const { machines } = stage.world
  await stage.pass(REST_MS)

  const leader = stage.leader()!
  for (const machine of machines) {
    const { connected, missing } = {
      connected: transportOf(machine).connected(),
      missing: transportOf(machine).missing(),
    }
    assert.equal(missing, new Set(), machine.name)
    // Two more: to the leader, and to the relay that the log comes from.
    if (machine !== leader) assert.ok(connected.size <= KEPT_MAX + 2, `${machine.name} has ${connected.size}`)
  }
  const learners = machines.filter(({ node, id }) => node?.consensus.status().voters.includes(id) === false)
  const average =
    learners.reduce((sum, machine) => sum + transportOf(machine).connected().size, 0) / learners.length
  assert.ok(average <= KEPT_MAX, `learners have ${average} connections`)

  // Somebody to whom there is no connection is dialled, answers, and is let go again.
  const [caller] = learners
  const far = machines.find(other => other !== caller && !transportOf(caller!).connected().has(other.id))!
  transportOf(far).onCall('api', async function* ({ request }) {
    yield [far.name, request]
  })
  const answer = firstOf(transportOf(caller!).call(far.id, 'api', 'who?', { timeoutMs: 5_000 }))
  assert.equal(await stage.answer(answer), [far.name, 'who?'])
  assert.ok(transportOf(caller!).connected().has(far.id))
  await stage.pass(REST_MS)
  assert.not(transportOf(caller!).connected().has(far.id), 'it was let go')

  // kill -9 of one with few acquaintances: everybody knows.
  const victim = learners.at(-1)!
  stage.world.kill(victim)
  const others = machines.filter(machine => machine !== victim)
  await stage.until(
    'all know of the death',
    () => others.every(machine => holdsDead(machine, victim)),
    KNOWN_WITHIN_MS,
  )
  await stage.until('the log says so', () =>
    others.every(({ node }) => node?.consensus.state().nodes.get(victim.id)?.state === 'dead'),
  )

  stage.revive(victim)
  await stage.until('it is back everywhere', () =>
    others.every(({ node }) => node?.members().find(({ id }) => id === victim.id)?.state === 'alive'),
  )
  await stage.settled()
})

test('a cluster cut in two is one again, though most pairs have no connection', async () => {
  const stage = await Stage.raise(SIZE)
  const { machines, weather } = stage.world
  await stage.pass(REST_MS)
  const voters = new Set(stage.leader()!.node!.consensus.status().voters)
  // A majority of the voters stays on one side, or nothing could be decided there.
  const apart = machines.filter(({ id }) => !voters.has(id)).slice(0, 6)
  weather.part({ group: new Set(apart.map(({ id }) => id)), isOneWay: false })
  const rest = machines.filter(machine => !apart.includes(machine))
  await stage.until('both sides hold each other dead', () =>
    rest.every(by => apart.every(of => holdsDead(by, of))),
  )
  weather.clear()
  await stage.until('everybody is alive to everybody', () =>
    machines.every(({ node }) => node?.members().every(({ state }) => state === 'alive') === true),
  )
  await stage.settled()
})

test.run()
