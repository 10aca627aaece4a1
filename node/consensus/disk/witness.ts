/**
 * The file `raft.tail`: the number of the last transaction that was committed, written after each commit and before
 * anybody hears of it. Exact as long as the machine runs, whatever happens to the process; after a power cut a lower
 * bound, at worst from the last quiet moment, when it was synced. It is what tells a torn write from a lost one.
 */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

export type Witness = {
  /** Null when nothing can be read from it: it proves nothing then. */
  read(): number | null
  write(sequence: number): void
  /** To be called when there is time; does nothing when nothing was written since. */
  sync(): void
  close(): void
}

const FORMAT = 2
/** Format, number, CRC of both. */
const BYTES = 1 + 8 + 4
/** The first format: number and CRC. */
const FIRST_BYTES = 8 + 4

export const openWitness = (path: string): Witness => {
  closeSync(openSync(path, 'a', 0o600))
  const file = openSync(path, 'r+')
  let isSynced = true
  return {
    read() {
      const bytes = Buffer.alloc(BYTES)
      return parseWitness(bytes.subarray(0, readSync(file, bytes, 0, BYTES, 0)))
    },
    write(sequence) {
      writeSync(file, witnessOf(sequence), 0, BYTES, 0)
      isSynced = false
    },
    sync() {
      if (!isSynced) fdatasyncSync(file)
      isSynced = true
    },
    close: () => closeSync(file),
  }
}

const witnessOf = (sequence: number): Buffer => {
  const bytes = Buffer.alloc(BYTES)
  bytes.writeUInt8(FORMAT, 0)
  bytes.writeDoubleBE(sequence, 1)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 9)), 9)
  return bytes
}

/** A new file has witnessed nothing. */
const parseWitness = (bytes: Buffer): number | null => {
  if (bytes.byteLength === 0) return 0
  if (bytes.byteLength === FIRST_BYTES)
    return crc32(bytes.subarray(0, 8)) === bytes.readUInt32BE(8) ? bytes.readDoubleBE(0) : null
  if (bytes.byteLength !== BYTES || bytes[0] !== FORMAT) return null
  return crc32(bytes.subarray(0, 9)) === bytes.readUInt32BE(9) ? bytes.readDoubleBE(1) : null
}
