/** What this machine's disk does at best: single durable sqlite commits of one value, one after another, by one process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { VALUE_BYTES } from './contender.ts'
import type { Load } from './load.ts'

export const diskFloor = (forMs: number): Load => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-bench-'))
  try {
    const database = new DatabaseSync(join(directory, 'floor.db'))
    database.exec(
      'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE floor (id INTEGER PRIMARY KEY, value BLOB)',
    )
    const insert = database.prepare('INSERT INTO floor (value) VALUES (?)')
    const value = Buffer.alloc(VALUE_BYTES, 7)
    const latenciesMs: number[] = []
    const startedMs = performance.now()
    for (let nowMs = startedMs; nowMs - startedMs < forMs; ) {
      insert.run(value)
      const doneMs = performance.now()
      latenciesMs.push(doneMs - nowMs)
      nowMs = doneMs
    }
    database.close()
    return {
      latenciesMs,
      tookMs: performance.now() - startedMs,
      nodeMicros: Number.NaN,
      ownMicros: Number.NaN,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
