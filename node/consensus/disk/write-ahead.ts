/**
 * Reads sqlite's write-ahead log before sqlite does. Sqlite goes through it up to the first bad frame and drops the rest
 * without a word. That is right for the write that a crash interrupted and wrong for anything else, and the two can be
 * told apart: with `synchronous = FULL` a transaction is begun only after the fsync of the one before it, so a bad
 * frame with a later transaction behind it was durable once, and somebody may have been told so.
 * Format: sqlite.org/fileformat2.html, "The Write-Ahead Log".
 */

/** What stands in the file after its last whole transaction. */
export type WriteAheadEnd =
  /** Nothing at all. */
  | { readonly type: 'clean' }
  /** What an interrupted write leaves; only the witness knows whether it was one. */
  | { readonly type: 'torn'; readonly atByte: number }
  /** A whole transaction that was durable: frame `frame` of `frames`, counted from 1; 0 is the header. */
  | { readonly type: 'damaged'; readonly frame: number; readonly frames: number }

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f0682
/** The lowest bit of the magic number says in which order the checksum reads its words. */
const BIG_ENDIAN_BIT = 1

type Sum = readonly [number, number]

type File = {
  readonly bytes: Buffer
  readonly isBigEndian: boolean
  readonly frameBytes: number
  readonly frames: number
}

export const endOfWriteAhead = (bytes: Buffer, pageBytes: number): WriteAheadEnd => {
  if (bytes.byteLength === 0) return { type: 'clean' }
  if (bytes.byteLength < HEADER_BYTES) return { type: 'torn', atByte: 0 }
  const frameBytes = FRAME_HEADER_BYTES + pageBytes
  const frames = Math.floor((bytes.byteLength - HEADER_BYTES) / frameBytes)
  const isBigEndian = (bytes.readUInt32BE(0) & BIG_ENDIAN_BIT) === BIG_ENDIAN_BIT
  const file = { bytes, isBigEndian, frameBytes, frames }
  if (!isHeaderSound(file, pageBytes)) return afterBreak(file, 0, 0)
  let sum = sumAt(bytes, 24)
  let end = 0
  for (let frame = 1; frame <= frames; frame++) {
    const next = sumOfFrame(file, frame, sum)
    if (!hasSalt(file, frame, 0) || !isSame(next, storedSum(file, frame))) return afterBreak(file, frame, end)
    sum = next
    if (isCommit(file, frame)) end = frame
  }
  const endByte = startOf(file, end + 1)
  return bytes.byteLength === endByte ? { type: 'clean' } : { type: 'torn', atByte: endByte }
}

const isHeaderSound = ({ bytes, isBigEndian }: File, pageBytes: number): boolean =>
  (bytes.readUInt32BE(0) & ~BIG_ENDIAN_BIT) === MAGIC &&
  bytes.readUInt32BE(8) === pageBytes &&
  isSame(checksum(bytes, 0, 24, isBigEndian, [0, 0]), sumAt(bytes, 24))

/**
 * The chain of checksums breaks at `broken`. Each later frame can still be judged by itself, since the sum that it
 * continues stands in the frame before it: the first sound one beyond the end of the broken transaction proves damage.
 */
const afterBreak = (file: File, broken: number, end: number): WriteAheadEnd => {
  const first = Math.max(1, broken)
  // With a broken header, the frames only have each other to be compared with.
  const salted = broken === 0 ? 1 : 0
  let isEnded = false
  for (let frame = first; frame <= file.frames; frame++) {
    if (!hasSalt(file, frame, salted)) continue
    const before = frame === 1 ? null : storedSum(file, frame - 1)
    if (isEnded && before !== null && isSame(sumOfFrame(file, frame, before), storedSum(file, frame)))
      return { type: 'damaged', frame: broken, frames: file.frames }
    if (isCommit(file, frame)) isEnded = true
  }
  return { type: 'torn', atByte: startOf(file, end + 1) }
}

const startOf = ({ frameBytes }: File, frame: number): number => HEADER_BYTES + (frame - 1) * frameBytes

/** Whether the frame belongs to the same generation of the log as another; 0 is the header. */
const hasSalt = (file: File, frame: number, other: number): boolean => {
  const at = startOf(file, frame) + 8
  const otherAt = other === 0 ? 16 : startOf(file, other) + 8
  return file.bytes.compare(file.bytes, otherAt, otherAt + 8, at, at + 8) === 0
}

/** The last frame of a transaction tells how long the database is now. */
const isCommit = (file: File, frame: number): boolean =>
  file.bytes.readUInt32BE(startOf(file, frame) + 4) !== 0

const storedSum = (file: File, frame: number): Sum => sumAt(file.bytes, startOf(file, frame) + 16)

const sumAt = (bytes: Buffer, at: number): Sum => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]

const sumOfFrame = (file: File, frame: number, before: Sum): Sum => {
  const { bytes, isBigEndian, frameBytes } = file
  const at = startOf(file, frame)
  const ofHead = checksum(bytes, at, at + 8, isBigEndian, before)
  return checksum(bytes, at + FRAME_HEADER_BYTES, at + frameBytes, isBigEndian, ofHead)
}

/** Sqlite's own: two running sums over pairs of words. */
const checksum = (bytes: Buffer, from: number, to: number, isBigEndian: boolean, before: Sum): Sum => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, to - from)
  let [first, second] = before
  for (let at = 0; at < to - from; at += 8) {
    first = (first + view.getUint32(at, !isBigEndian) + second) >>> 0
    second = (second + view.getUint32(at + 4, !isBigEndian) + first) >>> 0
  }
  return [first, second]
}

const isSame = (left: Sum, right: Sum): boolean => left[0] === right[0] && left[1] === right[1]
