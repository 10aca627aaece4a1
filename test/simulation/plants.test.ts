/** The judge is judged: each planted bug must be caught by a checker, where the code as it is passes. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planted } from './planting.ts'
import { PLANTS } from './plants.ts'
import { allChecks, play } from './play.ts'

const SIMULATE = fileURLToPath(new URL('./simulate.ts', import.meta.url))
const ROOT = new URL('../../', import.meta.url)
/** Each has been found within a thousand seeds from the first; the search goes on from where it was found last. */
const SEEDS_MAX = 600
/** What they watch is shown by the bugs of a single node in the plays and the unit tests. */
const WITHOUT_PLANT: readonly string[] = ['placement', 'crashes']
/** The first line of the summary: the lowest seed, whichever of the two processes told first. */
const FOUND = /^ {2}(\w+) {2}replay: npm run simulate -- (\d+) /m

const search = (plant: string, from: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const args = ['--plant', plant, '--seeds', String(SEEDS_MAX), '--from', String(from)]
    const child = spawn(process.execPath, ['--no-warnings', SIMULATE, ...args])
    let output = ''
    child.stdout.on('data', chunk => {
      output += String(chunk)
    })
    child.stderr.on('data', chunk => {
      output += String(chunk)
    })
    child.on('error', reject)
    child.on('close', () => resolve(output))
  })

test('there are at least thirty plants, each with a name of its own', () => {
  assert.ok(PLANTS.length >= 30)
  assert.is(new Set(PLANTS.map(plant => plant.name)).size, PLANTS.length)
})

test('a plant that finds no place, or two, is refused', () => {
  const [plant] = PLANTS
  assert.ok(plant)
  assert.throws(() => planted(plant, 'nothing of the kind'), /found 0 times/)
  assert.throws(() => planted(plant, `${plant.find}\n${plant.find}`), /found 2 times/)
})

/** The checkers that were the first to find some plant. */
const finders = new Set<string>()

for (const plant of PLANTS) {
  test(`the simulation catches ${plant.name}: ${plant.why}`, async () => {
    planted(plant, readFileSync(new URL(plant.file, ROOT), 'utf8'))
    const output = await search(plant.name, plant.seed)
    const found = FOUND.exec(output)
    assert.ok(found, output)
    finders.add(String(found[1]))
    const asItIs = await play(Number(found[2]))
    assert.is(asItIs.failed, null, `seed ${found[2]} fails without the plant, too`)
  })
}

test('every checker finds some plant, first of all or by itself', () => {
  const names = allChecks().map(check => check(() => undefined).name)
  assert.equal(
    names.filter(name => !finders.has(name) && !WITHOUT_PLANT.includes(name)),
    [],
  )
})

test.run()
