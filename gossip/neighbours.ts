/**
 * Who keeps in touch with whom. Small clusters are a full mesh. In larger ones the members lie on some log2 n rings, each in
 * another order, and everybody's neighbours are the one before and the one after it on each ring (Law and Siu, "Distributed
 * Construction of Random Expander Networks", 2003): some 2 log2 n, whatever the identities look like.
 *
 * What follows from that: who is my neighbour has me as one; each ring alone connects everybody, so that a rumour reaches
 * all; the rings together are an expander, so that it does so within a few steps, and that no small number of failures cuts
 * anybody off. Whoever comes or goes changes two places on each ring: others need hardly any new connections. (The fingers
 * of Chord, at distances of 2^k in one order, would move for half of the members with each of them.)
 */
import { hashOfText, mixed } from './hash.ts'
import type { NodeId } from './member.ts'

/** With so many members, ourselves included, all are neighbours: 15 connections cost less than finding out who is needed. */
export const FULL_MESH_MAX = 16

/** An odd number without pattern: the orders of two rings have nothing in common. */
const RING_STRIDE = 0x9e3779b1
const PLACES = 2 ** 32

/** `others` are the members that run, as far as we know, without ourselves. The same for the same members, in any order. */
export function neighboursOf(self: NodeId, others: readonly NodeId[]): ReadonlySet<NodeId> {
  const size = others.length + 1
  if (size <= FULL_MESH_MAX) return new Set(others)
  const own = hashOfText(self)
  const hashes = others.map(hashOfText)
  const found = new Set<NodeId>()
  for (let ring = 0; ring < Math.ceil(Math.log2(size)); ring++) {
    const here = placeOf(own, ring)
    let [next, last] = [0, 0]
    let [nextAhead, lastAhead] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let index = 0; index < others.length; index++) {
      const id = others[index]!
      const steps = (placeOf(hashes[index]!, ring) - here) >>> 0
      // At one place the ids decide, so that everybody sees the same order.
      const ahead = steps === 0 && id < self ? PLACES : steps
      if (ahead < nextAhead || (ahead === nextAhead && id < others[next]!)) [next, nextAhead] = [index, ahead]
      if (ahead > lastAhead || (ahead === lastAhead && id > others[last]!)) [last, lastAhead] = [index, ahead]
    }
    found.add(others[next]!).add(others[last]!)
  }
  return found
}

const placeOf = (hash: number, ring: number): number => mixed(hash + Math.imul(ring, RING_STRIDE))
