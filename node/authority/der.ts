/** As much of DER (X.690) as a certificate of ours is written in. Writes only: certificates are read by the platform. */

const tagged = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content])
}

const lengthOf = (length: number): readonly number[] => {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts)
export const setOf = (part: Uint8Array): Buffer => tagged(0x31, part)
export const octets = (content: Uint8Array): Buffer => tagged(0x04, content)
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text, 'utf8'))
export const yes = tagged(0x01, Buffer.from([0xff]))

/** A number that is not negative, from its bytes. */
export const unsigned = (bytes: Uint8Array): Buffer => {
  const first = bytes.findIndex(byte => byte !== 0)
  const digits = first < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(first))
  return tagged(0x02, ...(digits[0]! >= 0x80 ? [Buffer.from([0])] : []), digits)
}

/** `unused`: bits at the end that do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), content)

/** Arcs of any size: the ones of a UUID have 128 bits. */
export const objectId = (...arcs: readonly (number | bigint)[]): Buffer => {
  const [first = 0, second = 0, ...rest] = arcs.map(BigInt)
  return tagged(0x06, ...[BigInt(first) * 40n + BigInt(second), ...rest].map(base128))
}

const base128 = (arc: bigint): Buffer => {
  const bytes = [Number(arc & 0x7fn)]
  for (let left = arc >> 7n; left > 0n; left >>= 7n) bytes.unshift(Number(left & 0x7fn) | 0x80)
  return Buffer.from(bytes)
}

/** RFC 5280 §4.1.2.5: two digits for the year up to 2049, four after it. */
export const time = (atMs: number): Buffer => {
  const [year = '', ...rest] = new Date(atMs).toISOString().split(/[-T:.]/)
  const digits = `${rest.slice(0, 5).join('')}Z`
  return Number(year) < 2050
    ? tagged(0x17, Buffer.from(year.slice(2) + digits, 'latin1'))
    : tagged(0x18, Buffer.from(year + digits, 'latin1'))
}

/** `[number]` around whole values. */
export const explicit = (number: number, content: Uint8Array): Buffer => tagged(0xa0 | number, content)
/** `[number]` in the place of a plain value's own tag. */
export const implicit = (number: number, content: Uint8Array): Buffer => tagged(0x80 | number, content)
