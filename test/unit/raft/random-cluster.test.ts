// Whole clusters under random faults: safety in every moment (raft-checker), progress once the faults stop.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RaftWorld, type WorldOptions } from '../../harness/raft-world.ts'

const SEEDS = Number(process.env.SEEDS ?? 100)
const FIRST_SEED = Number(process.env.SEED ?? 1)

const none = { learners: [], joiners: [], changesMembership: false }
const three = { ...none, voters: ['a', 'b', 'c'] }
const five = { ...none, voters: ['a', 'b', 'c', 'd', 'e'] }
const changing = { ...none, voters: ['a', 'b', 'c'], joiners: ['d', 'e'], changesMembership: true }
const growing = { ...none, voters: ['a'], joiners: ['b', 'c'], changesMembership: true }
const relaying = { ...none, voters: ['a', 'b', 'c'], learners: ['d', 'e', 'f', 'g'] }
const changingRelays = { ...relaying, voters: ['a', 'b', 'c'], joiners: ['h'], changesMembership: true }
const leasing = { ...three, hasLeases: true }
const leasingAndChanging = { ...changing, hasLeases: true }

const survive = (seed: number, options: WorldOptions, disturbances: number): void => {
  const world = new RaftWorld(seed, options)
  for (let i = 0; i < disturbances; i++) world.disturb()
  world.calm(200)
  const { leader } = world
  assert.ok(leader, 'a healed cluster has a leader')
  const text = world.propose(leader)
  world.calm(20)
  const { configuration } = leader.raft!.status()
  const members = [...configuration.voters, ...configuration.learners]
  assert.ok(leader.lines.at(-1)?.endsWith(text), 'a healed cluster commits')
  assert.is(configuration.votersOutgoing.length, 0, 'no joint phase is left behind')
  for (const node of world.nodes)
    if (members.includes(node.id)) assert.equal(node.lines, leader.lines, `${node.id} has caught up`)
}

for (const [name, options] of Object.entries({
  three,
  five,
  changing,
  growing,
  relaying,
  changingRelays,
  leasing,
  leasingAndChanging,
}))
  test(`a cluster under random faults stays safe and recovers: ${name}`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      try {
        survive(seed, options, 2500)
      } catch (error) {
        throw new Error(`replay: SEED=${seed} SEEDS=1, ${name}: ${(error as Error).message}`, {
          cause: error,
        })
      }
    }
  })

test('the same seed gives the same history', () => {
  const history = () => {
    const world = new RaftWorld(7, changing)
    for (let i = 0; i < 2000; i++) world.disturb()
    return JSON.stringify(world.nodes.map(({ memory, lines }) => [memory, lines]))
  }
  assert.is(history(), history())
})

test.run()
