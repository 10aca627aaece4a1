/**
 * The file of a backup: `TUTTIBAK`, a version byte, then frames with a length and a CRC each: a header as JSON, and the
 * encoded state in pieces. The header says how many bytes must follow and what the state's digest is. It holds the
 * cluster's private key and the hashes of its tokens, so it is a secret.
 */
import { crc32 } from 'node:zlib'
import { digestOf, type State } from '../../scheduler/index.ts'
import type { BackupHead } from '../api/native/schema.ts'
import { decodeState } from '../consensus/store.ts'
import { Failure, messageOf } from '../errors.ts'

export type BackupHeader = Omit<BackupHead, 'type'>

export type Backup = { readonly header: BackupHeader; readonly state: Uint8Array }

const MAGIC = Buffer.from('TUTTIBAK', 'latin1')
const VERSION = 1
const PIECE_BYTES = 256 * 1024

export const encodeBackup = ({ header, state }: Backup): Uint8Array => {
  const parts: Uint8Array[] = [MAGIC, Buffer.from([VERSION]), ...framed(Buffer.from(JSON.stringify(header)))]
  for (let offset = 0; offset < state.byteLength; offset += PIECE_BYTES)
    parts.push(...framed(state.subarray(offset, offset + PIECE_BYTES)))
  return Buffer.concat(parts)
}

/** Checks every byte, and that they make the very state that was backed up. Throws E_DISK_DAMAGED or E_INVALID naming `path`. */
export const decodeBackup = (path: string, file: Buffer): Backup & { readonly restored: State } => {
  const body = MAGIC.byteLength + 1
  if (!file.subarray(0, MAGIC.byteLength).equals(MAGIC))
    throw new Failure('E_INVALID', {
      message: `${path} is not a backup of Tutti`,
      why: 'it does not begin as one',
      try: 'tutti backup FILE makes one',
    })
  const version = file[MAGIC.byteLength]
  if (version !== VERSION)
    throw new Failure('E_INVALID', {
      message: `${path} is a backup in format ${version ?? 'unknown'}`,
      why: `this version of Tutti reads format ${VERSION}`,
      try: 'restore it with the version of Tutti that made it',
    })
  try {
    const [head, ...pieces] = [...unframed(file, body)]
    const header: BackupHeader = JSON.parse(String(head))
    const state = Buffer.concat(pieces)
    if (state.byteLength !== header.bytes)
      throw new Error(`it holds ${state.byteLength} bytes of state and should hold ${header.bytes}`)
    const restored = decodeState(state)
    const digest = digestOf(restored)
    if (digest !== header.digest) throw new Error(`its state has the digest ${digest}, not ${header.digest}`)
    return { header, state, restored }
  } catch (thrown) {
    throw new Failure(
      'E_DISK_DAMAGED',
      {
        message: `the backup ${path} is damaged: ${messageOf(thrown)}`,
        why: 'a cluster restored from it would not be the one that was backed up',
        try: 'take another backup, and prove it with: tutti restore --verify FILE',
      },
      { cause: thrown },
    )
  }
}

const framed = (bytes: Uint8Array): readonly Uint8Array[] => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(bytes.byteLength, 0)
  head.writeUInt32BE(crc32(bytes), 4)
  return [head, bytes]
}

function* unframed(file: Buffer, from: number): Generator<Buffer> {
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
