/** Recoveries under random circumstances: who dies, what was under way, who comes back when, who is cut off, who falls in between. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Prng, prng } from '../../harness/prng.ts'
import { createCluster, type TestNode, tokenCommand, type World } from './world.ts'

const SEEDS = Number(process.env.SEEDS ?? 40)
const FIRST_SEED = Number(process.env.SEED ?? 1)
const IDS = ['a', 'b', 'c', 'd', 'e']

type Run = { readonly world: World; readonly dice: Prng; readonly ids: readonly string[] }

let writeCount = 0

/** Writes through a node; notes the id once it is acknowledged. */
const write = (node: TestNode, acknowledged: Set<string>): void => {
  const id = `w${++writeCount}`
  node.consensus.submit(tokenCommand(id), { timeoutMs: 2_000 }).then(
    outcome => outcome.ok && acknowledged.add(id),
    () => undefined,
  )
}

const bestOf = (nodes: readonly TestNode[]): TestNode =>
  nodes.reduce((best, one) => {
    const [left, right] = [best.consensus.status(), one.consensus.status()]
    const isMore =
      right.lastTerm > left.lastTerm || (right.lastTerm === left.lastTerm && right.lastIndex > left.lastIndex)
    return isMore ? one : best
  })

/** A majority dies in the middle of writing, for ever as far as anybody knows. */
const loseQuorum = async ({ world, dice, ids }: Run): Promise<readonly string[]> => {
  const nodes = [...world.nodes.values()]
  for (let count = dice.between(0, 12); count > 0; count--) write(dice.pick(nodes), new Set())
  await world.pass(dice.between(0, 30))
  const order = [...ids].sort(() => dice.random() - 0.5)
  const dead = order.slice(0, Math.floor(ids.length / 2) + 1)
  for (const id of dead) world.kill(id)
  const left = [...world.nodes.values()]
  await world.until('no leader is left', () =>
    left.every(node => node.consensus.status().leader === null && node.consensus.status().role !== 'leader'),
  )
  return dead
}

/** The old ones come back one after the other, some cut off from the new leader at first, some falling again. */
const comeBack = async (run: Run, leader: TestNode, dead: readonly string[], acknowledged: Set<string>) => {
  const { world, dice } = run
  const isCutOff = dice.chance(0.5)
  if (isCutOff) world.cut(...dead.map(id => [id, leader.id] as const))
  for (const id of dead) {
    await world.start(id)
    await world.pass(dice.between(0, 1_500))
    write(leader, acknowledged)
    if (dice.chance(0.3)) for (let count = 0; count < 5; count++) write(world.nodes.get(id)!, new Set())
  }
  await world.pass(dice.between(0, 3_000))
  world.cut()
  const learners = run.ids.filter(id => id !== leader.id)
  await world.settle(leader.consensus.changeConfiguration({ voters: [leader.id], learners }))
  for (const id of dead) {
    if (!dice.chance(0.4)) continue
    await world.pass(dice.between(0, 8))
    world.kill(id)
    await world.pass(dice.between(0, 200))
    await world.start(id)
    write(leader, acknowledged)
  }
}

const oneCluster = async (seed: number): Promise<void> => {
  const dice = prng(seed, 'recovery')
  const ids = IDS.slice(0, dice.pick([3, 3, 5]))
  const world = await createCluster(ids, { snapshotEntries: dice.pick([5, 40, 1_000]) }, seed)
  const run = { world, dice, ids }
  const dead = await loseQuorum(run)
  const leader = bestOf([...world.nodes.values()])
  const before = [...leader.consensus.state().tokens.keys()]
  await world.settle(leader.consensus.recover())
  await world.until('it leads', () => leader.leadership.at(-1) === true)
  const acknowledged = new Set<string>()
  for (let count = dice.between(1, 8); count > 0; count--) write(leader, acknowledged)
  await comeBack(run, leader, dead, acknowledged)
  await world.until('all agree', () => {
    const nodes = ids.map(id => world.nodes.get(id)!)
    return nodes.every(
      node =>
        node.consensus.status().epoch.number === 1 && node.consensus.digest() === leader.consensus.digest(),
    )
  })
  const ready = leader.consensus.changeConfiguration({ voters: [...ids], learners: [] })
  await world.settle(ready)
  assert.is(leader.consensus.status().role, 'leader', 'nobody took its place')
  world.kill(leader.id)
  const heirs = ids.filter(id => id !== leader.id).map(id => world.nodes.get(id)!)
  await world.until('an heir leads', () => heirs.some(node => node.leadership.at(-1) === true))
  const heir = world.leader()
  await world.settle(heir.consensus.submit(tokenCommand(`heir-${seed}`), { timeoutMs: 10_000 }))
  for (const id of [...before, ...acknowledged])
    assert.ok(heir.consensus.state().tokens.has(id), `${id} was kept or acknowledged, and is gone`)
}

test('whatever a survivor had and whatever was acknowledged after the recovery stays, and all who return agree', async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    await oneCluster(seed).catch((thrown: unknown) => {
      throw new Error(`SEED=${seed} SEEDS=1: ${thrown instanceof Error ? thrown.stack : thrown}`)
    })
  }
})

test.run()
