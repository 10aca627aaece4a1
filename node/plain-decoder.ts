/**
 * Reads msgpack as our own nodes write it: plain data. Its point is the keys of objects. Msgpackr makes each one anew as a
 * string that the engine has never seen, and looking it up among all names takes longer than everything else; here a key is
 * recognised by its bytes. What is not plain, and what is wrong, is left to msgpackr: null then, whatever it is.
 * Format: github.com/msgpack/msgpack, spec.md.
 */

/** Thrown and caught within this file; without a stack, for a stranger may cause it as often as he likes. */
const NOT_PLAIN = Symbol('not plain')

/** Keys and words that were met, by a hash of their bytes. A collision costs the making of a string, no more. */
const TEXTS_MAX = 4_096
/** What one byte of a head can tell. Longer keys are rare, and left to msgpackr. */
const KEY_BYTES_MAX = 31
/** Values are words that come again up to about here, and texts of their own beyond. */
const WORD_BYTES_MAX = 16
const UNREADABLE = '\ufffd'
type Text = { readonly bytes: Uint8Array; readonly text: string }
const texts: (Text | undefined)[] = new Array(TEXTS_MAX).fill(undefined)

const NO_BYTES: Buffer = Buffer.alloc(0)
/** What is being read, as it was given and with the methods of a buffer. */
let source: Uint8Array = NO_BYTES
let buffer: Buffer = NO_BYTES
let at = 0
let end = 0

/** Bytes within the value are parts of those given. */
export const decodePlain = (bytes: Uint8Array): { readonly value: unknown } | null => {
  source = bytes
  buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  at = 0
  end = bytes.byteLength
  try {
    const value = read()
    return at === end ? { value } : null
  } catch {
    return null
  } finally {
    source = NO_BYTES
    buffer = NO_BYTES
  }
}

const read = (): unknown => {
  const head = take(1)
  const byte = buffer[head] as number
  if (byte < 0x80) return byte
  if (byte < 0x90) return readMap(byte & 0x0f)
  if (byte < 0xa0) return readList(byte & 0x0f)
  if (byte < 0xc0) return readText(byte & 0x1f)
  if (byte >= 0xe0) return byte - 0x100
  return readLong(byte)
}

const readLong = (byte: number): unknown => {
  switch (byte) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xc4:
      return readBytes(buffer.readUInt8(take(1)))
    case 0xc5:
      return readBytes(buffer.readUInt16BE(take(2)))
    case 0xc6:
      return readBytes(buffer.readUInt32BE(take(4)))
    case 0xcb:
      return buffer.readDoubleBE(take(8))
    case 0xcc:
      return buffer.readUInt8(take(1))
    case 0xcd:
      return buffer.readUInt16BE(take(2))
    case 0xce:
      return buffer.readUInt32BE(take(4))
    case 0xd0:
      return buffer.readInt8(take(1))
    case 0xd1:
      return buffer.readInt16BE(take(2))
    case 0xd2:
      return buffer.readInt32BE(take(4))
    case 0xd9:
      return readText(buffer.readUInt8(take(1)))
    case 0xda:
      return readText(buffer.readUInt16BE(take(2)))
    case 0xdb:
      return readText(buffer.readUInt32BE(take(4)))
    case 0xdc:
      return readList(buffer.readUInt16BE(take(2)))
    case 0xdd:
      return readList(buffer.readUInt32BE(take(4)))
    case 0xde:
      return readMap(buffer.readUInt16BE(take(2)))
    default:
      throw NOT_PLAIN
  }
}

/** Where the next so many bytes begin. */
const take = (count: number): number => {
  const start = at
  at += count
  if (at > end) throw NOT_PLAIN
  return start
}

const readBytes = (count: number): Uint8Array => {
  const start = take(count)
  return source.subarray(start, at)
}

const readList = (count: number): unknown[] => {
  // Each item takes a byte at least: nobody is given room for more than came.
  if (count > end - at) throw NOT_PLAIN
  const list: unknown[] = new Array(count)
  for (let position = 0; position < count; position++) list[position] = read()
  return list
}

const readMap = (count: number): Record<string, unknown> => {
  const map: Record<string, unknown> = {}
  for (let position = 0; position < count; position++) {
    const key = readKey()
    map[key] = read()
  }
  return map
}

const readKey = (): string => {
  const byte = buffer[take(1)] as number
  if (byte < 0xa0 || byte >= 0xc0) throw NOT_PLAIN
  const key = readShortText(byte & KEY_BYTES_MAX)
  // Msgpackr's own answer to it is as good as any.
  if (key === '__proto__') throw NOT_PLAIN
  return key
}

const readText = (count: number): string =>
  count <= WORD_BYTES_MAX ? readShortText(count) : makeText(take(count))

/** Half a character is decoded one way or another; it must be the same way on nodes that know nothing of this file. */
const makeText = (start: number): string => {
  const text = buffer.toString('utf8', start, at)
  if (text.includes(UNREADABLE)) throw NOT_PLAIN
  return text
}

const readShortText = (count: number): string => {
  const start = take(count)
  const hash = hashOf(start, count)
  const known = texts[hash]
  if (known !== undefined && isAt(known.bytes, start, count)) return known.text
  const text = makeText(start)
  texts[hash] = { bytes: Uint8Array.prototype.slice.call(buffer, start, at), text }
  return text
}

const hashOf = (start: number, count: number): number => {
  let hash = count
  for (let position = start; position < start + count; position++)
    hash = (Math.imul(hash, 31) + (buffer[position] as number)) | 0
  return hash & (TEXTS_MAX - 1)
}

const isAt = (bytes: Uint8Array, start: number, count: number): boolean => {
  if (bytes.length !== count) return false
  for (let position = 0; position < count; position++)
    if (bytes[position] !== buffer[start + position]) return false
  return true
}
