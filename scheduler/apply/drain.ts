/** Taking a node's work away and giving it work again. The leader may drain a node for its health; only an operator undoes that. */
import type { Command } from '../commands.ts'
import type { Tables } from '../tables.ts'
import { isTrusted } from '../trust.ts'
import { findNode } from './nodes.ts'
import { refuse, type Step, tell, type Verdict } from './step.ts'

type Drain = Extract<Command, { type: 'node/Drain' }>
type Activate = Extract<Command, { type: 'node/Activate' }>

export const drainNode = (tables: Tables, { id, ailing }: Drain, step: Step): Verdict => {
  const found = findNode(tables, id)
  if ('refusal' in found) return found.refusal
  const { node } = found
  if (ailing !== undefined && isTrusted(node, step.atMs))
    return refuse('E_CONFLICT', `an operator has just given ${node.name} work again`, { node: id })
  if (!node.schedulable) return null
  const reason = ailing === undefined ? {} : { ailing }
  tables.nodes.set(id, { ...node, ...reason, schedulable: false, modifiedIndex: step.index })
  tell(step, `node/${node.name}`, 'drained', ailing ?? '')
  return null
}

export const activateNode = (tables: Tables, { id, atMs }: Activate, step: Step): Verdict => {
  const found = findNode(tables, id)
  if ('refusal' in found) return found.refusal
  if (found.node.schedulable) return null
  const { ailing, ...node } = found.node
  const trust = ailing === undefined ? {} : { trustedAtMs: atMs }
  tables.nodes.set(id, { ...node, ...trust, schedulable: true, modifiedIndex: step.index })
  tell(step, `node/${node.name}`, 'activated')
  return null
}
