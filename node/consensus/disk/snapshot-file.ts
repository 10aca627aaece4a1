/**
 * One snapshot as a file: eight bytes that name the format, a header, then chunks. Header and chunks are framed alike:
 * length, CRC, bytes. The CRC of each continues that of the one before, so that a chunk in the wrong place is as wrong as
 * a changed one; since that one stands in the file too, any chunk can be read and checked by itself.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { SnapshotMetadata } from '../../../raft/index.ts'
import type { SnapshotBytes, StoredSnapshot } from '../storage.ts'

const MAGIC = Buffer.from('TUTTISN2', 'latin1')
/** In the first format every CRC stood alone. It is still read. */
const FIRST_MAGIC = Buffer.from('TUTTISN1', 'latin1')
const CHUNK_BYTES = 256 * 1024
const FRAME_HEAD_BYTES = 8
/** More than the largest configuration needs. */
const HEADER_BYTES_MAX = 16 * 1024 * 1024

type Header = { readonly meta: SnapshotMetadata; readonly bytes: number }

export type SnapshotFile = {
  readonly meta: SnapshotMetadata
  readonly bytes: number
  /** From `offset`, at most so many, and at most to the end of the chunk. Throws when they are damaged. */
  read(offset: number, bytesMax: number): Promise<SnapshotBytes>
  close(): Promise<void>
}

/** Creates the file; durable when it resolves, its name apart. */
export const writeSnapshotFile = async (path: string, { meta, data }: StoredSnapshot): Promise<void> => {
  const file = await open(path, 'w', 0o600)
  try {
    const header: Header = { meta, bytes: data.byteLength }
    const [head, ...rest] = framed(Buffer.from(JSON.stringify(header)), 0)
    await file.writeFile(Buffer.concat([MAGIC, head, ...rest]))
    let crc = head.readUInt32BE(4)
    for (let offset = 0; offset < data.byteLength; offset += CHUNK_BYTES) {
      const [chunkHead, chunk] = framed(data.subarray(offset, offset + CHUNK_BYTES), crc)
      crc = chunkHead.readUInt32BE(4)
      await file.writeFile(Buffer.concat([chunkHead, chunk]))
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Throws when its beginning is damaged or its length is wrong; each chunk is checked as it is read. */
export const openSnapshotFile = async (path: string): Promise<SnapshotFile> => {
  const file = await open(path, 'r')
  try {
    return await opened(file)
  } catch (thrown) {
    await file.close()
    throw thrown
  }
}

/** The whole, checked. */
export const readSnapshotFile = async (path: string): Promise<StoredSnapshot> => {
  const file = await openSnapshotFile(path)
  try {
    const data = new Uint8Array(file.bytes)
    for (let offset = 0; offset < file.bytes; ) {
      const read = await file.read(offset, CHUNK_BYTES)
      data.set(read.data, offset)
      offset += read.data.byteLength
    }
    return { meta: file.meta, data }
  } finally {
    await file.close()
  }
}

const opened = async (file: FileHandle): Promise<SnapshotFile> => {
  const start = await bytesAt(file, 0, MAGIC.byteLength + FRAME_HEAD_BYTES)
  const magic = start.subarray(0, MAGIC.byteLength)
  const isChained = magic.equals(MAGIC)
  if (!isChained && !magic.equals(FIRST_MAGIC)) throw new Error('it is no snapshot of this format')
  const length = start.readUInt32BE(MAGIC.byteLength)
  if (length > HEADER_BYTES_MAX) throw new Error('its header has no sensible length')
  const first = MAGIC.byteLength + FRAME_HEAD_BYTES + length
  const text = await frameAt(file, MAGIC.byteLength, length, 0)
  const { meta, bytes }: Header = JSON.parse(String(text))
  const { size } = await file.stat()
  const chunks = Math.ceil(bytes / CHUNK_BYTES)
  const sizeWanted = first + bytes + chunks * FRAME_HEAD_BYTES
  if (size !== sizeWanted) throw new Error(`it has ${size} bytes and should have ${sizeWanted}`)

  const startOf = (chunk: number): number => first + chunk * (FRAME_HEAD_BYTES + CHUNK_BYTES)
  const headOfBefore = (chunk: number): number => (chunk === 0 ? MAGIC.byteLength : startOf(chunk - 1))
  const read = async (offset: number, bytesMax: number): Promise<SnapshotBytes> => {
    if (offset >= bytes) return { data: new Uint8Array(0), isLast: true }
    const chunk = Math.floor(offset / CHUNK_BYTES)
    const begin = chunk * CHUNK_BYTES
    const before = isChained ? (await bytesAt(file, headOfBefore(chunk) + 4, 4)).readUInt32BE(0) : 0
    const whole = await frameAt(file, startOf(chunk), Math.min(CHUNK_BYTES, bytes - begin), before)
    const data = whole.subarray(offset - begin, offset - begin + bytesMax)
    return { data, isLast: offset + data.byteLength >= bytes }
  }
  return { meta, bytes, read, close: () => file.close() }
}

const framed = (bytes: Uint8Array, before: number): readonly [Buffer, Uint8Array] => {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(bytes.byteLength, 0)
  head.writeUInt32BE(crc32(bytes, before), 4)
  return [head, bytes]
}

const frameAt = async (file: FileHandle, at: number, length: number, before: number): Promise<Buffer> => {
  const frame = await bytesAt(file, at, FRAME_HEAD_BYTES + length)
  const bytes = frame.subarray(FRAME_HEAD_BYTES)
  if (frame.readUInt32BE(0) !== length || crc32(bytes, before) !== frame.readUInt32BE(4))
    throw new Error(`wrong checksum at byte ${at}`)
  return bytes
}

const bytesAt = async (file: FileHandle, at: number, length: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, at)
  if (bytesRead < length) throw new Error('it is cut off')
  return bytes
}
