// What a node says of the age of its state is never less than the truth, also while it is behind.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultOptions } from '../../../raft/index.ts'
import { createCluster, type TestNode, tokenCommand, type World } from './world.ts'

/** A contact may have happened up to a tick before it is noted, and heartbeats are under way for a while. */
const TOLERANCE_MS = 10

/** When each index was committed on the leader, and whether a node's age is honest by that. */
class Clerk {
  readonly #world: World
  readonly #committed: { readonly atMs: number; readonly index: number }[] = []

  constructor(world: World) {
    this.#world = world
  }

  /** How much younger than it is the node calls its state; 0 when it is honest. */
  async watch(node: TestNode, forMs: number): Promise<number> {
    let worstMs = 0
    for (let ms = 0; ms < forMs; ms++) {
      await this.#world.pass(1)
      const nowMs = node.clock.monotonicMs()
      this.#committed.push({ atMs: nowMs, index: this.#world.leader().consensus.status().commitIndex })
      const { ageMs } = node.consensus.status()
      const { index } = node.consensus.state()
      const lacking = this.#committed.find(one => one.index > index)
      if (ageMs !== null && lacking) worstMs = Math.max(worstMs, nowMs - lacking.atMs - ageMs)
    }
    return worstMs
  }
}

const write = (world: World, count: number): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, () =>
      world.leader().consensus.submit(tokenCommand(), { timeoutMs: 10_000 }),
    ),
  )

test('a node behind a relay, and one behind that, call their states no younger than they are', async () => {
  const core = { ...defaultOptions(25), directLearnersMax: 0, relayFanOut: 1 }
  const world = await createCluster(['a', 'b', 'c', 'd', 'e'], { core })
  await world.settle(world.leader().consensus.changeConfiguration({ voters: ['a'], learners: [...'bcde'] }))
  await world.settle(
    world.leader().consensus.changeConfiguration({ voters: ['a', 'b'], learners: [...'cde'] }),
  )
  const relayed = () =>
    world
      .leader()
      .consensus.status()
      .followers.filter(one => one.progress === 'relay')
  await world.until('they get the log through each other', () => relayed().length === 3)
  for (const id of 'cde') {
    const clerk = new Clerk(world)
    for (let round = 0; round < 20; round++) {
      void write(world, 1)
      const node = world.nodes.get(id)!
      const worstMs = await clerk.watch(node, 37)
      assert.ok(worstMs <= TOLERANCE_MS, `${id} calls its state ${worstMs} ms younger than it is`)
      assert.ok(
        (node.consensus.status().ageMs ?? Number.NaN) < 250,
        `${id}: ${node.consensus.status().ageMs}`,
      )
    }
  }
})

test('a node that is fed a snapshot does not call its state fresh because it hears the leader', async () => {
  const core = { ...defaultOptions(25), snapshotChunkBytes: 24 }
  const world = await createCluster(['a', 'b', 'c'], { snapshotEntries: 10, core })
  const away = [...world.nodes.values()].find(node => node !== world.leader())!
  world.kill(away.id)
  for (let round = 0; round < 40; round++) await world.settle(write(world, 1))
  const back = await world.start(away.id)
  const clerk = new Clerk(world)
  let worstMs = 0
  for (let round = 0; round < 60; round++) {
    void write(world, 1)
    worstMs = Math.max(worstMs, await clerk.watch(back, 50))
  }
  assert.ok(worstMs <= TOLERANCE_MS, `it calls its state ${worstMs} ms younger than it is`)
  assert.ok(back.consensus.state().index > 60, 'it has caught up meanwhile')
})

test.run()
