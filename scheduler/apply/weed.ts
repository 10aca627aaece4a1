/** Rows that nobody needs any more go: by the time inside a command, so on every node at the same index. */
import type { Token } from '../model/access.ts'
import type { Node } from '../model/node.ts'
import { DEPARTED_KEPT_MAX, type Tables } from '../tables.ts'

const DAY_MS = 24 * 3_600_000
/** A token that admits nobody any more still says why for so long. */
const ENDED_TOKEN_KEPT_MS = 7 * DAY_MS
/** A node that has left is still listed for so long, and as long as a pod that is kept ran on it. */
const LEFT_NODE_KEPT_MS = DAY_MS

/** Costs a walk over nodes and tokens, so it is for the rarer commands. */
export const weed = (tables: Tables, atMs: number): void => {
  for (const token of tables.tokens.values())
    if (atMs - endOf(token) >= ENDED_TOKEN_KEPT_MS) tables.tokens.delete(token.id)
  const isDue = (node: Node): boolean =>
    node.state === 'left' && atMs - node.stateChangedAtMs >= LEFT_NODE_KEPT_MS
  const due: Node[] = []
  for (const node of tables.nodes.values()) if (isDue(node)) due.push(node)
  if (due.length === 0) return
  const inUse = new Set([...tables.pods.values()].map(pod => pod.node))
  for (const { id, name } of due) {
    if (inUse.has(id)) continue
    tables.nodes.delete(id)
    tables.departed.set(id, name)
  }
  for (const oldest of tables.departed.keys()) {
    if (tables.departed.size <= DEPARTED_KEPT_MAX) break
    tables.departed.delete(oldest)
  }
}

const endOf = ({ endedAtMs, expiresAtMs }: Token): number => Math.min(endedAtMs ?? expiresAtMs, expiresAtMs)
