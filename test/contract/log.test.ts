/** The log file of a node, on a disk that may be full. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLog } from '../../node/log.ts'

test('a full disk under the log file ends nothing', async () => {
  const uncaught: unknown[] = []
  const note = (thrown: unknown): void => void uncaught.push(thrown)
  process.on('uncaughtException', note)
  try {
    const log = createLog({ level: 'info', file: '/dev/full' })
    for (let line = 0; line < 100; line++) log.error('this node votes and writes no more', { line })
    await new Promise(resolve => setTimeout(resolve, 50))
  } finally {
    process.off('uncaughtException', note)
  }
  assert.equal(uncaught, [])
})

test('a log file is private', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-log-'))
  try {
    const file = join(directory, 'logs', 'node.log')
    createLog({ level: 'info', file }).info('started', { token: 'tutti1_x' })
    assert.is(statSync(file).mode & 0o777, 0o600)
    const text = readFileSync(file, 'utf8')
    assert.ok(text.includes('started') && !text.includes('tutti1_x'))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test.run()
