/**
 * A view of the cluster in a few numbers, so that two nodes find what they see differently without telling all they
 * know. The view is a tree of parts: one is named by the leading hex digits of the hash of a node's id, and its hash
 * is the sum of the hashes of what is believed of the nodes in it.
 */
import { hashOfText, mixed } from './hash.ts'
import { contentOf, type Member, type NodeId } from './member.ts'

/** `path`, up to `DEPTH_MAX` hex digits; the empty path names the whole view. */
export type Part = readonly [path: string, hash: number]

/** 256 smallest parts: four members in each of them among a thousand. */
export const DEPTH_MAX = 2
const DIGITS = '0123456789abcdef'
/** Where the parts of a depth begin in the array of sums. */
const STARTS = [0, 1, 17] as const
const PARTS = 273

export class Digest {
  readonly #sums = new Uint32Array(PARTS)

  add(member: Member): void {
    this.#change(member, hashOf(member))
  }

  remove(member: Member): void {
    this.#change(member, -hashOf(member))
  }

  /** 0 for a part without members. */
  hash(path: string): number {
    return this.#sums[indexOf(path)] as number
  }

  #change(member: Member, hash: number): void {
    const path = pathOf(member.id)
    for (let depth = 0; depth <= DEPTH_MAX; depth++) {
      const index = indexOf(path.slice(0, depth))
      this.#sums[index] = (this.#sums[index] as number) + hash
    }
  }
}

/** The smallest part that a node is in. */
export const pathOf = (id: NodeId): string =>
  (mixed(hashOfText(id)) >>> 24).toString(16).padStart(DEPTH_MAX, '0')

/** What one member adds to a part: nothing when it is not in it. */
export const partHash = (member: Member, path: string): number =>
  pathOf(member.id).startsWith(path) ? hashOf(member) : 0

export const childrenOf = (path: string): readonly string[] => [...DIGITS].map(digit => path + digit)

const indexOf = (path: string): number =>
  (STARTS[path.length] as number) + (path === '' ? 0 : Number.parseInt(path, 16))

/** Claims do not change, so each is hashed once. */
const hashes = new WeakMap<Member, number>()

/** Of everything in which one claim may differ from another about the same node. */
const hashOf = (member: Member): number => {
  const kept = hashes.get(member)
  if (kept !== undefined) return kept
  const { id, incarnation, state } = member
  // Hashes are added up, and like changes of two members must not cancel out: hence mixed.
  const hash = mixed(hashOfText(`${id} ${incarnation} ${state} ${contentOf(member)}`))
  hashes.set(member, hash)
  return hash
}

export const isPart = (value: unknown): value is Part =>
  Array.isArray(value) &&
  value.length === 2 &&
  typeof value[0] === 'string' &&
  /^[0-9a-f]{0,2}$/.test(value[0]) &&
  Number.isSafeInteger(value[1]) &&
  value[1] >= 0
