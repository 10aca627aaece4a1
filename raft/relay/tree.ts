// Who gets the log from whom: the tree of relays as plain data, and where a learner is best put into it. Pure.
import type { NodeId } from '../saved.ts'

/** A node through which the log could go. */
export type TreeNode = {
  readonly id: NodeId
  /** Null: the leader feeds it. */
  readonly upstream: NodeId | null
  /** Alive and up to date, as far as the leader knows. */
  readonly isFit: boolean
}

export type Place = {
  /** In the order in which they are to be tried. */
  readonly upstreams: readonly NodeId[]
  /** Hops from the leader: 2 below a node that the leader feeds. */
  readonly depth: number
}

/** Nodes that are tried after the first upstream. */
const SPARES_MAX = 2

/**
 * The shallowest fit node that has fewer than `fanOut` others below it, the least busy of these. Then, as spares, nodes
 * that the leader feeds: they pull from nobody, so that whoever turns to them closes no circle. Null: there is no room.
 */
export const placeInTree = (nodes: readonly TreeNode[], learner: NodeId, fanOut: number): Place | null => {
  const tree = new Map(nodes.map(node => [node.id, node]))
  const loads = new Map<NodeId, number>()
  for (const { upstream } of nodes) if (upstream !== null) loads.set(upstream, (loads.get(upstream) ?? 0) + 1)
  const loadOf = (id: NodeId): number => loads.get(id) ?? 0
  const fit = nodes
    .filter(({ id, isFit }) => isFit && id !== learner)
    .map(({ id }) => ({ id, depth: depthOf(tree, id, learner), load: loadOf(id) }))
    .filter(({ depth }) => Number.isFinite(depth))
    .sort((a, b) => a.depth - b.depth || a.load - b.load || (a.id < b.id ? -1 : 1))
  const first = fit.find(({ load }) => load < fanOut)
  if (first === undefined) return null
  const spares = fit.filter(({ id, depth }) => depth === 1 && id !== first.id)
  // Not the same for everybody, or all children of a dead relay would turn to one node.
  const start = spares.length === 0 ? 0 : nodes.length % spares.length
  const turned = [...spares.slice(start), ...spares.slice(0, start)].slice(0, SPARES_MAX)
  return { upstreams: [first.id, ...turned.map(({ id }) => id)], depth: first.depth + 1 }
}

/** Hops from the leader; infinite in a circle, below `learner`, and where the way to the leader is not known. */
const depthOf = (tree: ReadonlyMap<NodeId, TreeNode>, id: NodeId, learner: NodeId): number => {
  let depth = 1
  for (let node = tree.get(id); node !== undefined && node.id !== learner; depth += 1) {
    if (node.upstream === null) return depth
    if (depth > tree.size) break
    node = tree.get(node.upstream)
  }
  return Number.POSITIVE_INFINITY
}
