import { mkdtempSync, rmSync } from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { keepCompiled, workerEnvironment } from '../../node/footprint.ts'

const cacheOf = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

const TELLS_ITS_CACHE = `
  const { getCompileCacheDir } = require('node:module')
  require('node:worker_threads').parentPort.postMessage(getCompileCacheDir() ?? 'none')`

test('a worker has no cache where the program has none, and the one of the program where it has one', async () => {
  assert.equal(workerEnvironment(), {})
  const directory = mkdtempSync(join(tmpdir(), 'tutti-footprint-'))
  try {
    module.enableCompileCache(directory)
    const worker = new Worker(TELLS_ITS_CACHE, { eval: true, env: workerEnvironment() })
    assert.is(await cacheOf(worker), module.getCompileCacheDir())
    keepCompiled()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test.run()
