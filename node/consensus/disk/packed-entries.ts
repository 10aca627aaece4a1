/**
 * Entries on their way to the worker thread. A message that holds each of them is cloned value by value, with all the
 * bytes around what is a part of something larger; two buffers are handed over as they are.
 */
import type { Configuration, Entry } from '../../../raft/index.ts'
import { decode, encode } from '../../codec.ts'

export type PackedEntries = {
  /** Index, term, position in KINDS and length in bytes of each entry. */
  readonly heads: Float64Array<ArrayBuffer>
  /** What the entries hold, one after another. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

const KINDS = ['normal', 'configuration', 'noop'] as const
const HEAD_LENGTH = 4
const NO_BYTES = new Uint8Array(0)

export const packEntries = (entries: readonly Entry[]): PackedEntries => {
  const contents = entries.map(contentOf)
  const heads = new Float64Array(entries.length * HEAD_LENGTH)
  const bytes = new Uint8Array(contents.reduce((sum, content) => sum + content.byteLength, 0))
  let at = 0
  for (const [position, { index, term, type }] of entries.entries()) {
    const content = contents[position] ?? NO_BYTES
    heads.set([index, term, KINDS.indexOf(type), content.byteLength], position * HEAD_LENGTH)
    bytes.set(content, at)
    at += content.byteLength
  }
  return { heads, bytes }
}

/** The data of the entries are parts of `bytes`. */
export const unpackEntries = ({ heads, bytes }: PackedEntries): readonly Entry[] => {
  const entries: Entry[] = []
  let at = 0
  for (let head = 0; head < heads.length; head += HEAD_LENGTH) {
    const [index = 0, term = 0, kind = 0, length = 0] = heads.subarray(head, head + HEAD_LENGTH)
    entries.push(entryOf(KINDS[kind], { index, term, content: bytes.subarray(at, at + length) }))
    at += length
  }
  return entries
}

/** For the list of what a message hands over. */
export const buffersOf = ({ heads, bytes }: PackedEntries): readonly ArrayBuffer[] => [
  heads.buffer,
  bytes.buffer,
]

const contentOf = (entry: Entry): Uint8Array => {
  if (entry.type === 'normal') return entry.data
  return entry.type === 'configuration' ? encode(entry.configuration) : NO_BYTES
}

type Parts = { readonly index: number; readonly term: number; readonly content: Uint8Array }

const entryOf = (type: Entry['type'] | undefined, { index, term, content }: Parts): Entry => {
  if (type === 'normal') return { type, index, term, data: content }
  if (type === 'configuration') return { type, index, term, configuration: decode(content) as Configuration }
  return { type: 'noop', index, term }
}
