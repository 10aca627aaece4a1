/**
 * Nine nodes are killed one at a time down to one, the leader every second time, and started again: the keeper alone keeps
 * the quorum, and writes stop only while the living are no majority of the voters.
 */
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../../cli/demo/demo-node.ts'
import { type Prng, prng } from '../../harness/prng.ts'
import { WatchedVoters } from '../voters.ts'
import { type Effort, timed } from './effort.ts'

const COUNT = 9
const VOTERS = 5
const WRITE_WITHIN_MS = 10_000
/** A replacement, and an exchange for a better spread. */
const CHANGES_PER_STEP_MAX = 2

export const quorum = async ({ seed }: Effort): Promise<void> => {
  const voters = await WatchedVoters.start(COUNT)
  const dice = prng(seed, 'quorum')
  const fallen: DemoNode[] = []
  try {
    assert.is(voters.voters.length, VOTERS)
    await timed('a planned stop and a drain cost no election', () => planned(voters))
    await timed('from nine nodes to one', async () => {
      while (voters.alive.length > 1) fallen.push(await fell(voters, dice))
      assert.not(voters.hasMajority, 'one of three')
    })
    await timed('and back', async () => {
      for (const node of dice.shuffle(fallen)) await bringBack(voters, node)
    })
    assert.is(voters.voters.length, VOTERS)
    await timed(`${voters.accepted.length} accepted writes are known to all`, () => voters.keptEverything())
    console.log(`  ${voters.history.length - 1} changes of the voters since the founding`)
  } finally {
    await voters.stop()
  }
}

/** The leader is told to stop, and the next one is drained: each hands over, so the next term comes without an election. */
const planned = async (voters: WatchedVoters): Promise<void> => {
  await handsOver(voters, 'is told to stop', leader => leader.stop())
  for (const node of voters.cluster.nodes) if (node.hasEnded()) await voters.revive(node)
  await voters.rested()
  await handsOver(voters, 'is drained', async leader => {
    const client = leader.client(AbortSignal.timeout(WRITE_WITHIN_MS))
    await client.drain(leader.name)
    await voters.reignAfter(leader)
    await voters.activate(leader)
  })
}

const handsOver = async (
  voters: WatchedVoters,
  what: string,
  act: (leader: DemoNode) => Promise<void>,
): Promise<void> => {
  const before = await voters.reign()
  assert.ok(before, 'somebody leads')
  const acting = act(before.leader)
  const tookMs = await voters.write()
  await acting
  const after = await voters.reignAfter(before.leader)
  assert.is.not(tookMs, null)
  assert.is(after.term, before.term + 1, `${before.leader.name} ${what}: one term`)
  console.log(
    `  ${before.leader.name} ${what}: ${after.leader.name} leads, write accepted after ${tookMs?.toFixed(0)} ms`,
  )
}

const fell = async (voters: WatchedVoters, dice: Prng): Promise<DemoNode> => {
  const leader = (await voters.reign())?.leader ?? null
  const victim = (dice.chance(0.5) ? leader : null) ?? dice.pick(voters.alive)
  const part = victim === leader ? 'leader' : voters.voters.includes(victim) ? 'voter' : 'learner'
  victim.kill()
  while (!victim.hasEnded()) await new Promise(resolve => setImmediate(resolve))
  await step(voters, `${victim.name} dies (${part})`)
  return victim
}

const bringBack = async (voters: WatchedVoters, node: DemoNode): Promise<void> => {
  await voters.revive(node)
  await step(voters, `${node.name} is back`)
}

/** Writes are accepted exactly while the living are a majority of the voters; then the keeper is given time. */
export const step = async (voters: WatchedVoters, what: string): Promise<void> => {
  const { hasMajority, history } = voters
  const changesBefore = history.length
  const tookMs = hasMajority ? await voters.write() : null
  if (hasMajority) assert.is.not(tookMs, null, `${what}: a write is accepted`)
  else assert.ok(await voters.refuses(), `${what}: writes are refused`)
  await voters.rested()
  const changeCount = history.length - changesBefore
  assert.ok(changeCount <= CHANGES_PER_STEP_MAX, `${what}: ${changeCount} changes`)
  const write = tookMs === null ? 'no quorum, refused' : `write accepted after ${tookMs.toFixed(0)} ms`
  console.log(
    `  ${what.padEnd(24)} ${write.padEnd(32)} ${changeCount} changes, voters ${history.at(-1)?.join(' ')}`,
  )
}
