/**
 * Snapshots as files `snapshot-<term>-<index>`, in a recovered cluster `snapshot-e<epoch>-<term>-<index>`
 * (disk/snapshot-file.ts). A file appears under its name only when it is whole and durable, so that a crash leaves the old
 * ones or the new one as well. Asynchronous file calls only, so the event loop goes on.
 */
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { epochOf, type SnapshotMetadata } from '../../raft/index.ts'
import { type Failure, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import {
  openSnapshotFile,
  readSnapshotFile,
  type SnapshotFile,
  writeSnapshotFile,
} from './disk/snapshot-file.ts'
import { failureOfTrouble, isFinal, troubleOf } from './disk-failure.ts'
import { byAge, SNAPSHOTS_KEPT, type SnapshotStore, type StoredSnapshot } from './storage.ts'

const NAME = /^snapshot-(?:e(\d+)-)?(\d+)-(\d+)$/
const TEMPORARY = /^snapshot-(?:e\d+-)?\d+-\d+\.tmp$/

export const openSnapshots = (options: { readonly directory: string; readonly log: Log }): SnapshotStore => {
  const { directory, log } = options
  /** Calls run one after another: a load never meets a half-done clean-up. */
  let last: Promise<unknown> = Promise.resolve()
  /** After a failed fsync nothing is known about the disk, and nothing is tried again. */
  let broken: Failure | null = null
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(async () => {
      if (broken !== null) throw broken
      return work().catch((thrown: unknown) => {
        const failure = failureOfTrouble(troubleOf(directory, thrown))
        if (isFinal(failure)) broken = failure
        throw failure
      })
    })
    last = done.catch(() => undefined)
    return done
  }

  return {
    load: () => inTurn(() => loadAll(directory, log)),
    save: snapshot => inTurn(() => saveOne(directory, snapshot)),
    open: meta => inTurn(() => openOne(directory, meta, log)),
  }
}

const fileName = ({ term, index, configuration }: SnapshotMetadata): string => {
  const { number } = epochOf(configuration)
  return `snapshot-${number === 0 ? '' : `e${number}-`}${term}-${index}`
}

const namesIn = async (directory: string): Promise<readonly string[]> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return readdir(directory)
}

/** Names of whole files, newest first. */
const newestFirst = (names: readonly string[]): readonly string[] =>
  names
    .flatMap(name => {
      const [, epoch = '0', term, index] = NAME.exec(name) ?? []
      return term === undefined
        ? []
        : [{ name, epoch: Number(epoch), term: Number(term), index: Number(index) }]
    })
    .sort((left, right) => right.epoch - left.epoch || right.index - left.index || right.term - left.term)
    .map(({ name }) => name)

const loadAll = async (directory: string, log: Log): Promise<readonly StoredSnapshot[]> => {
  const names = await namesIn(directory)
  for (const name of names.filter(one => TEMPORARY.test(one)))
    await rm(join(directory, name), { force: true })
  const loaded: StoredSnapshot[] = []
  for (const name of newestFirst(names)) {
    try {
      const snapshot = await readSnapshotFile(join(directory, name))
      if (fileName(snapshot.meta) !== name) throw new Error(`it is what ${fileName(snapshot.meta)} should be`)
      loaded.push(snapshot)
    } catch (thrown) {
      log.error('a snapshot is damaged and was skipped', { file: name, reason: messageOf(thrown) })
    }
  }
  return loaded.sort((left, right) => byAge(left.meta, right.meta)).slice(0, SNAPSHOTS_KEPT)
}

const saveOne = async (directory: string, snapshot: StoredSnapshot): Promise<void> => {
  await namesIn(directory)
  const name = fileName(snapshot.meta)
  const temporary = join(directory, `${name}.tmp`)
  await writeSnapshotFile(temporary, snapshot)
  await rename(temporary, join(directory, name))
  await syncDirectory(directory)
  for (const old of newestFirst(await namesIn(directory)).slice(SNAPSHOTS_KEPT))
    await rm(join(directory, old), { force: true })
}

/** Other readers of the same file are of no concern: it is never changed, only removed, and an open one even then stays. */
const openOne = async (directory: string, meta: SnapshotMetadata, log: Log): Promise<SnapshotFile | null> => {
  const name = fileName(meta)
  try {
    return await openSnapshotFile(join(directory, name))
  } catch (thrown) {
    log.warn('a snapshot could not be opened', { file: name, reason: messageOf(thrown) })
    return null
  }
}

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
