import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LogStore, LogWrite } from '../../node/consensus/storage.ts'
import { recordedLog } from '../../node/recorded-log.ts'

const WRITE: LogWrite = {
  hardState: { term: 1, vote: 'ash', commit: 0 },
  snapshot: null,
  truncateFrom: null,
  entries: [],
  compact: null,
}

const diskOf = (happened: string[]): LogStore => ({
  load: async () => null,
  write: async () => void happened.push('log'),
  close: async () => undefined,
})

const soon = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('no write counts before the record knows of the log, and the record never runs ahead of it', async () => {
  const happened: string[] = []
  const { promise: written, resolve: finish } = Promise.withResolvers<void>()
  const log = recordedLog(diskOf(happened), () => {
    happened.push('record')
    return written
  })
  const writes = [log.write(WRITE), log.write(WRITE)].map(write => write.then(() => happened.push('counts')))
  await soon()
  assert.equal(happened, ['log', 'log', 'record'])
  finish()
  await Promise.all(writes)
  await log.write(WRITE)
  assert.equal(happened, ['log', 'log', 'record', 'counts', 'counts', 'log'])
})

test('a record that cannot be written fails the write, and is tried again with the next', async () => {
  let attempts = 0
  const log = recordedLog(diskOf([]), async () => {
    if (++attempts === 1) throw new Error('no space')
  })
  await log.write(WRITE).then(
    () => assert.unreachable('the write counted'),
    thrown => assert.match(String(thrown), 'no space'),
  )
  await log.write(WRITE)
  assert.is(attempts, 2)
})

test.run()
