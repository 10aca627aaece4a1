import { EventEmitter } from 'node:events'
import { StreamStateError } from '@libp2p/interface'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { silentLog } from '../../node/log.ts'
import { guardProcess } from '../../node/process-guard.ts'

const guarded = () => {
  const emitter = new EventEmitter()
  const reasons: string[] = []
  const release = guardProcess(emitter, { log: silentLog, onFatal: reason => reasons.push(reason) })
  return { emitter, reasons, release }
}

test('a stream of libp2p that ended under the hands of its writer ends no node', () => {
  const { emitter, reasons } = guarded()
  emitter.emit('uncaughtException', new StreamStateError('Cannot write to a stream that is closed'))
  emitter.emit('unhandledRejection', new StreamStateError('Cannot write to a stream that is closing'))
  assert.equal(reasons, [])
})

test('anything else that nobody caught ends the node, with its reason', () => {
  const { emitter, reasons } = guarded()
  emitter.emit('uncaughtException', new TypeError('x is not a function'))
  emitter.emit('unhandledRejection', 'a text')
  assert.equal(reasons, ['x is not a function', 'a text'])
})

test('a node that has stopped guards no more', () => {
  const { emitter, release } = guarded()
  release()
  assert.is(emitter.listenerCount('uncaughtException') + emitter.listenerCount('unhandledRejection'), 0)
})

test.run()
