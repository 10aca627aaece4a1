import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sharedListing } from '../../../node/agent/listing.ts'
import type { ContainerState } from '../../../node/runtime/runtime.ts'

const flush = () => new Promise(resolve => setImmediate(resolve))

/** A runtime whose listings end when told; each gives its own number of containers. */
const slowRuntime = () => {
  const open: { resolve(list: readonly ContainerState[]): void; reject(why: Error): void }[] = []
  const list = () =>
    new Promise<readonly ContainerState[]>((resolve, reject) => open.push({ resolve, reject }))
  return { open, list }
}

test('all who ask at the same time share one listing', async () => {
  const runtime = slowRuntime()
  const list = sharedListing(runtime)
  const answers = Promise.all([list(), list(), list()])
  await flush()
  assert.is(runtime.open.length, 1)
  runtime.open[0]?.resolve([])
  assert.equal(await answers, [[], [], []])
})

test('nobody gets a listing that began before the question', async () => {
  const runtime = slowRuntime()
  const list = sharedListing(runtime)
  const first = list()
  await flush()
  const [second, third] = [list(), list()]
  await flush()
  assert.is(runtime.open.length, 1)
  const early: readonly ContainerState[] = []
  const late: readonly ContainerState[] = []
  runtime.open[0]?.resolve(early)
  assert.is(await first, early)
  await flush()
  assert.is(runtime.open.length, 2)
  runtime.open[1]?.resolve(late)
  assert.is(await second, late)
  assert.is(await third, late)
})

test('a listing that failed fails those who asked for it and no later one', async () => {
  const runtime = slowRuntime()
  const list = sharedListing(runtime)
  const first = list().catch((thrown: Error) => thrown.message)
  await flush()
  const second = list()
  runtime.open[0]?.reject(new Error('away'))
  assert.is(await first, 'away')
  await flush()
  runtime.open[1]?.resolve([])
  assert.equal(await second, [])
})

test.run()
