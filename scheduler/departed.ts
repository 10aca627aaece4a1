/** Nodes that have left: never admitted again, long after their rows have gone. */
import type { Node, NodeId } from './model/node.ts'
import type { State } from './state.ts'

/** Who it was; null of a node that has not left, or is not known at all. */
export const departedOf = (state: State, id: NodeId): Pick<Node, 'id' | 'name'> | null => {
  const node = state.nodes.get(id)
  if (node) return node.state === 'left' ? node : null
  const name = state.departed.get(id)
  return name === undefined ? null : { id, name }
}
