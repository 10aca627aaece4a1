/**
 * Snapshots as files `snapshot-<term>-<index>` (in a recovered cluster `snapshot-e<epoch>-<term>-<index>`): a header with its own CRC, then chunks with one each. A file appears under
 * its name only when it is whole and durable. Asynchronous file calls only, so the event loop goes on.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { epochOf, type SnapshotMetadata } from '../../raft/index.ts'
import { failureOf, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { failureOfTrouble, troubleOf } from './disk-failure.ts'
import { byAge, SNAPSHOTS_KEPT, type SnapshotStore, type StoredSnapshot } from './storage.ts'

const MAGIC = Buffer.from('TUTTISN1', 'latin1')
const CHUNK_BYTES = 256 * 1024
const NAME = /^snapshot-(?:e(\d+)-)?(\d+)-(\d+)$/
const TEMPORARY = /^snapshot-(?:e\d+-)?\d+-\d+\.tmp$/

type Header = { readonly meta: SnapshotMetadata; readonly bytes: number }

export const openSnapshots = (options: { readonly directory: string; readonly log: Log }): SnapshotStore => {
  const { directory, log } = options
  /** Calls run one after another: a load never meets a half-done clean-up. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work).catch(thrown => {
      throw failureOf(failureOfTrouble(troubleOf(directory, thrown)))
    })
    last = done.catch(() => undefined)
    return done
  }

  return {
    load: () => inTurn(() => loadAll(directory, log)),
    save: snapshot => inTurn(() => saveOne(directory, snapshot)),
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
    const bytes = await readFile(join(directory, name))
    try {
      loaded.push(parse(bytes))
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
  const handle = await open(temporary, 'w', 0o600)
  try {
    await writeAll(handle, snapshot)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, join(directory, name))
  await syncDirectory(directory)
  for (const old of newestFirst(await namesIn(directory)).slice(SNAPSHOTS_KEPT))
    await rm(join(directory, old), { force: true })
}

const writeAll = async (handle: FileHandle, { meta, data }: StoredSnapshot): Promise<void> => {
  const header: Header = { meta, bytes: data.byteLength }
  await handle.writeFile(Buffer.concat([MAGIC, ...framed(Buffer.from(JSON.stringify(header)))]))
  for (let offset = 0; offset < data.byteLength; offset += CHUNK_BYTES)
    await handle.writeFile(Buffer.concat(framed(data.subarray(offset, offset + CHUNK_BYTES))))
}

export const framed = (bytes: Uint8Array): readonly Uint8Array[] => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(bytes.byteLength, 0)
  head.writeUInt32BE(crc32(bytes), 4)
  return [head, bytes]
}

const parse = (file: Buffer): StoredSnapshot => {
  if (!file.subarray(0, MAGIC.byteLength).equals(MAGIC)) throw new Error('it is no snapshot of this format')
  const parts = [...unframed(file, MAGIC.byteLength)]
  const header: Header = JSON.parse(String(parts[0]))
  const data = Buffer.concat(parts.slice(1))
  if (data.byteLength !== header.bytes)
    throw new Error(`it has ${data.byteLength} bytes of data and should have ${header.bytes}`)
  return { meta: header.meta, data }
}

export function* unframed(file: Buffer, from: number): Generator<Buffer> {
  let offset = from
  while (offset < file.byteLength) {
    if (offset + 8 > file.byteLength) throw new Error('it is cut off')
    const end = offset + 8 + file.readUInt32BE(offset)
    const bytes = file.subarray(offset + 8, end)
    if (end > file.byteLength) throw new Error('it is cut off')
    if (crc32(bytes) !== file.readUInt32BE(offset + 4)) throw new Error(`wrong checksum at byte ${offset}`)
    yield bytes
    offset = end
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
