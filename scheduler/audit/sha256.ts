/**
 * SHA-256 (FIPS 180-4) of a text, for the chain of the audit trail. A core may not ask the platform for one, but the
 * platform may offer its own, which is ten times as fast: every entry of the log is hashed on every node.
 */
import assert from 'node:assert'

const ROUND_CONSTANTS = new Int32Array(64)
const START = new Int32Array(8)

/** The first 32 bits of the fractional part. */
const fractionOf = (root: number): number => ((root - Math.floor(root)) * 2 ** 32) | 0

const isPrime = (candidate: number): boolean => {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false
  return true
}

for (let candidate = 2, count = 0; count < 64; candidate++) {
  if (!isPrime(candidate)) continue
  if (count < 8) START[count] = fractionOf(Math.sqrt(candidate))
  ROUND_CONSTANTS[count++] = fractionOf(Math.cbrt(candidate))
}

const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

const encoder = new TextEncoder()
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

let fastest: (text: string) => string = text => ownSha256(text)

/** Of the text as UTF-8: 64 hex digits. */
export const sha256 = (text: string): string => fastest(text)

/** What is offered must say the same of these: nothing, a text that fills its block, and characters of all lengths. */
const SAMPLES = ['', 'a'.repeat(56), 'aä€😀'.repeat(40)]

/** From now on this one is asked. Only the time that it takes may differ: states must be equal on all nodes. */
export const offerSha256 = (offered: (text: string) => string): void => {
  for (const text of SAMPLES) assert.equal(offered(text), ownSha256(text), 'it is SHA-256 in hex digits')
  fastest = offered
}

export const ownSha256 = (text: string): string => {
  const { bytes, end } = padded(text)
  const state = Int32Array.from(START)
  const schedule = new Int32Array(64)
  for (let offset = 0; offset < end; offset += BLOCK_BYTES) {
    for (let t = 0, at = offset; t < 16; t++, at += 4)
      schedule[t] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    compress(state, schedule)
  }
  let hex = ''
  for (let i = 0; i < 8; i++) {
    const word = state[i]!
    hex += HEX[word >>> 24]! + HEX[(word >>> 16) & 255]! + HEX[(word >>> 8) & 255]! + HEX[word & 255]!
  }
  return hex
}

/** §5.1.1: a one bit, zeros, and the length in bits at the end of the last block. */
const padded = (text: string): { readonly bytes: Uint8Array; readonly end: number } => {
  // A UTF-16 unit takes three bytes at most.
  const bytes = new Uint8Array(3 * text.length + BLOCK_BYTES + LENGTH_BYTES)
  const { written } = encoder.encodeInto(text, bytes)
  bytes[written] = 0x80
  const end = Math.ceil((written + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES
  const bits = written * 8
  bytes[end - 4] = bits >>> 24
  bytes[end - 3] = bits >>> 16
  bytes[end - 2] = bits >>> 8
  bytes[end - 1] = bits
  return { bytes, end }
}

/** §6.2.2: one block, whose first sixteen words are in the schedule. */
const compress = (state: Int32Array, w: Int32Array): void => {
  for (let t = 16; t < 64; t++) {
    const early = w[t - 15]!
    const late = w[t - 2]!
    const small = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3)
    const large = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10)
    w[t] = w[t - 16]! + small + w[t - 7]! + large
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  let f = state[5]!
  let g = state[6]!
  let h = state[7]!
  for (let t = 0; t < 64; t++) {
    const upper = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const first = (h + upper + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t]! + w[t]!) | 0
    const lower = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const second = (lower + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  // Typed arrays wrap around by themselves.
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
  state[5]! += f
  state[6]! += g
  state[7]! += h
}
