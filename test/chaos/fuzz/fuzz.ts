/**
 * Malformed frames, tokens, calls and rumours, as many as wanted: by fast-check and by breaking what was recorded. None may
 * bring a node down, make it grow, or change what it believes of its members and its log.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as assert from 'uvu/assert'
import { BUDGETS } from '../../../node/transport/budgets.ts'
import { type Prng, prng } from '../../harness/prng.ts'
import { callDoor, type Door, frameDoor, joinDoor, tokenDoor } from './doors.ts'
import { anythings, brokenValue } from './mutate.ts'
import { foundTown, type Spoken, type Town } from './town.ts'

export type FuzzReport = {
  readonly count: number
  readonly countOf: Readonly<Record<string, number>>
  readonly grownBytes: number
}

export const GROWTH_BYTES_MAX = 64 * 1024 * 1024
/** What the town has to settle after so many broken messages. */
const BATCH = 5_000
const SETTLE_MS = 15_000
/** Said between two moments of the town's time. */
const BREATH = 100
/** No more than a member may say: beyond that it would be cut off, and not be heard at all. */
const breathMs = (kind: Spoken): number => Math.max(20, (1_500 * BREATH) / BUDGETS[kind].messages.perSecond)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const heldBytes = (): number => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Throws the AssertionError of the first thing that went wrong; the same seed finds it again. */
export const fuzz = async ({
  count,
  seed,
}: {
  readonly count: number
  readonly seed: number
}): Promise<FuzzReport> => {
  const dice = prng(seed, 'fuzz')
  const town = await foundTown()
  const spoken = [...town.recorded.keys()]
  assert.equal([...spoken].sort(), ['propose', 'raft', 'rumors', 'swim'], 'everything was recorded')
  const messages = [...town.recorded.values()].flat()
  const doors = [frameDoor(messages), tokenDoor(), joinDoor(), callDoor()]
  const countOf: Record<string, number> = {}
  const shareOf = {
    doors: Math.floor((count * 0.6) / doors.length),
    town: Math.floor((count * 0.4) / spoken.length),
  }

  // What is kept for good (compiled code, tables of names) is there after a first round.
  for (const door of doors) await knockAt(door, 500, dice)
  for (const kind of spoken) await shout(town, kind, 500, dice)
  await town.pass(SETTLE_MS)
  const before = heldBytes()
  for (const door of doors) countOf[door.name] = await knockAt(door, shareOf.doors, dice)
  for (const kind of spoken) countOf[kind] = await shout(town, kind, shareOf.town, dice)
  assert.ok(await town.isWell(), 'a write goes through, and everybody is believed to live')
  const grownBytes = heldBytes() - before
  assert.ok(grownBytes < GROWTH_BYTES_MAX, `it grew by ${Math.round(grownBytes / 1024 / 1024)} MiB`)
  return { count: Object.values(countOf).reduce((sum, each) => sum + each, 0), countOf, grownBytes }
}

const knockAt = async (door: Door, count: number, dice: Prng): Promise<number> => {
  for (let done = 0; done < count; done++) await door.knock(dice)
  return count
}

/** One in ten is nothing that anybody ever said. */
const shout = async (town: Town, kind: Spoken, count: number, dice: Prng): Promise<number> => {
  const recorded = town.recorded.get(kind) ?? []
  const before = town.picture()
  const invented = anythings(1_000, Math.floor(dice.random() * 2 ** 31))
  for (let done = 1; done <= count; done++) {
    const one = recorded[Math.floor(dice.random() * recorded.length)]
    const message =
      done % 10 === 0 ? invented[(done / 10) % invented.length] : brokenValue(one, recorded, dice)
    town.say(kind, message)
    if (done % BREATH === 0) await town.pass(breathMs(kind))
    if (done % BATCH !== 0 && done !== count) continue
    await town.pass(SETTLE_MS)
    assert.is(town.picture(), before, `${kind}: something of what was said was believed`)
  }
  return count
}
