import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { play } from './play.ts'

const SIMULATE = fileURLToPath(new URL('./simulate.ts', import.meta.url))
const SEEDS = 50

const run = (
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', SIMULATE, ...args])
    let output = ''
    child.stdout.on('data', chunk => {
      output += String(chunk)
    })
    child.stderr.on('data', chunk => {
      output += String(chunk)
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code, output }))
  })

test('a cluster without faults comes to what was asked', async () => {
  for (const seed of [1, 2, 3]) {
    const played = await play(seed, { hasFaults: false })
    assert.is(played.failed, null)
    assert.ok(played.acknowledgedCount > 10)
  }
})

test('one seed has one history, and another seed another', async () => {
  const [first, again, other] = [await play(11), await play(11), await play(12)]
  assert.is(first.hash, again.hash)
  assert.is(first.eventCount, again.eventCount)
  assert.is.not(first.hash, other.hash)
})

test('a replay tells what happened and how to see it again', async () => {
  const { code, output } = await run('11')
  assert.is(code, 0, output)
  assert.match(output, /n1 +leads in term 2/)
  assert.match(output, /all faults are over/)
  assert.match(output, /seed 11: \d+ machines, \d+ faults, \d+ writes acknowledged/)
})

test('a wrong command line is refused with the right one', async () => {
  const { code, output } = await run('eleven')
  assert.is(code, 2)
  assert.match(output, /usage: npm run simulate -- SEED/)
})

test(`no property breaks in ${SEEDS} seeds, whatever fails`, async () => {
  const { code, output } = await run('--seeds', String(SEEDS))
  assert.is(code, 0, output)
  assert.match(output, new RegExp(`${SEEDS} seeds, 0 failed`))
})

test.run()
