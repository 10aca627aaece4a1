/** What a node is about to give up is copied beside it first: the log and the snapshots, as they would be read at a start. */
import { existsSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { failureOfTrouble, troubleOf } from '../consensus/disk-failure.ts'
import type { SqliteLog } from '../consensus/sqlite-log.ts'
import { Failure } from '../errors.ts'

/** The copy's files keep their names; to go back, stop the node and move them over those in the data directory. */
export const keepCopyIn =
  (dataDirectory: string, log: SqliteLog) =>
  async (name: string): Promise<string> => {
    const copy = join(dataDirectory, name)
    const snapshots = join(dataDirectory, 'snapshots')
    try {
      await mkdir(copy, { recursive: true, mode: 0o700 })
      await log.copyTo(copy)
      if (existsSync(snapshots)) await cp(snapshots, join(copy, 'snapshots'), { recursive: true })
      return copy
    } catch (thrown) {
      throw thrown instanceof Failure ? thrown : failureOfTrouble(troubleOf(copy, thrown))
    }
  }
