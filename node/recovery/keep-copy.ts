/** What a node is about to give up is copied beside it first: the log and the snapshots, as they would be read at a start. */
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SqliteLog } from '../consensus/sqlite-log.ts'

/** The copy's files keep their names; to go back, stop the node and move them over those in the data directory. */
export const keepCopyIn =
  (dataDirectory: string, log: SqliteLog) =>
  async (name: string): Promise<string> => {
    const copy = join(dataDirectory, name)
    await mkdir(join(copy, 'snapshots'), { recursive: true, mode: 0o700 })
    await log.copyTo(copy)
    await cp(join(dataDirectory, 'snapshots'), join(copy, 'snapshots'), { recursive: true })
    return copy
  }
