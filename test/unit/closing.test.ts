import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CLOSE_WITHIN_MS, closeAll } from '../../node/closing.ts'
import { silentLog } from '../../node/log.ts'
import { virtualClock } from '../harness/virtual-clock.ts'

test('the last opened is closed first, and one that fails keeps none open', async () => {
  const closed: string[] = []
  const opened = [
    () => closed.push('first'),
    () => Promise.reject(new Error('broken')),
    async () => closed.push('last'),
  ]
  await closeAll(opened, { clock: virtualClock(), log: silentLog })
  assert.equal(closed, ['last', 'first'])
  assert.is(opened.length, 0)
})

test('one that hangs is left behind after a while', async () => {
  const clock = virtualClock()
  let isFirstClosed = false
  const opened = [
    () => {
      isFirstClosed = true
    },
    () => new Promise(() => {}),
  ]
  const closing = closeAll(opened, { clock, log: silentLog })
  await new Promise(resolve => setImmediate(resolve))
  assert.not.ok(isFirstClosed)
  clock.advance(CLOSE_WITHIN_MS)
  await closing
  assert.ok(isFirstClosed)
})

test.run()
