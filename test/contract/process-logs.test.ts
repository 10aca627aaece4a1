import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { LOG_BYTES_MAX, readLogs, rotate } from '../../node/runtime/process-logs.ts'

const story = suite<{ folder: string }>('output of processes')

story.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'tutti-output-'))
})
story.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }))

const write = (folder: string, text: string) => appendFileSync(join(folder, 'stdout.log'), text)

const read = async (folder: string, tail: number | null): Promise<string[]> => {
  const { signal } = new AbortController()
  const lines: string[] = []
  const options = { follow: false, tail, signal, clock: systemClock(), isRunning: () => false }
  for await (const { line } of readLogs(folder, options)) lines.push(line)
  return lines
}

story('the tail is exact across chunks and files', async ({ folder }) => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n}`)
  write(folder, `${lines.slice(0, 12_000).join('\n')}\n`)
  await rotate(folder, 1_000)
  write(folder, `${lines.slice(12_000).join('\n')}\n`)
  assert.equal(await read(folder, 3), lines.slice(-3))
  assert.equal(await read(folder, 8_000), lines.slice(-8_000))
  assert.equal(await read(folder, 15_000), lines.slice(-15_000))
  assert.equal(await read(folder, 1_000_000), lines)
  assert.equal(await read(folder, null), lines)
  assert.equal(await read(folder, 0), [])
})

story('a last line without an end counts, an empty line too', async ({ folder }) => {
  write(folder, 'one\n\nthree')
  assert.equal(await read(folder, null), ['one', '', 'three'])
  assert.equal(await read(folder, 2), ['', 'three'])
})

story('a line without end is cut, so that no line fills the memory', async ({ folder }) => {
  write(folder, 'x'.repeat(40_000))
  const lines = await read(folder, null)
  assert.is(lines.join('').length, 40_000)
  assert.ok(lines.every(line => line.length <= 16_384))
})

story('what is over the cap moves aside, and the disk holds two files at most', async ({ folder }) => {
  for (let n = 0; n < 10; n++) {
    write(folder, 'y'.repeat(5_000))
    await rotate(folder, 4_000)
  }
  assert.is(statSync(join(folder, 'stdout.log')).size, 0)
  assert.is(statSync(join(folder, 'stdout.log.1')).size, 5_000)
})

story('a follower misses nothing when the file is cut under its eyes', async ({ folder }) => {
  let isRunning = true
  const { signal } = new AbortController()
  const seen: string[] = []
  const options = { follow: true, tail: null, signal, clock: systemClock(), isRunning: () => isRunning }
  const writing = (async () => {
    for (let n = 0; n < 30; n++) {
      write(folder, `line ${n} ${'z'.repeat(300)}\n`)
      if (n % 10 === 9) await rotate(folder, 1_000)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    write(folder, 'the end')
    isRunning = false
  })()
  for await (const { line } of readLogs(folder, options)) seen.push(line.split(' z')[0] ?? '')
  await writing
  assert.equal(seen, [...Array.from({ length: 30 }, (_, n) => `line ${n}`), 'the end'])
})

story('what a process wrote while no node held the cap fills neither memory nor disk', async ({ folder }) => {
  write(folder, 'first\n')
  // Sparse: only its length counts.
  truncateSync(join(folder, 'stdout.log'), 4 * LOG_BYTES_MAX)
  write(folder, '\nlast\n')
  const lines = await read(folder, null)
  assert.is(lines.at(-1), 'last')
  assert.ok(lines.reduce((sum, line) => sum + line.length, 0) <= LOG_BYTES_MAX)
  await rotate(folder)
  assert.ok(statSync(join(folder, 'stdout.log.1')).size <= LOG_BYTES_MAX)
  assert.is((await read(folder, null)).at(-1), 'last')
})

story.run()
