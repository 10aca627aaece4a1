/** Commands about members: joining, changing, the leader's verdicts, draining and leaving. */
import { isSame } from '../canonical.ts'
import type { Command, NodeFacts, Refusal } from '../commands.ts'
import { departedOf } from '../departed.ts'
import type { Token } from '../model/access.ts'
import type { Node, NodeId, NodeState } from '../model/node.ts'
import type { Labels } from '../model/selector.ts'
import { lossesAfter } from '../probation.ts'
import { judgeProtocol, protocolLevel } from '../protocol.ts'
import type { Tables } from '../tables.ts'
import { judgeJoinToken } from './join-token.ts'
import { refuse, type Step, tell, type Verdict } from './step.ts'
import { judgeVersion } from './versions.ts'

type Join = Extract<Command, { type: 'node/Join' }>
type Update = Extract<Command, { type: 'node/Update' }>
type Judge = Extract<Command, { type: 'node/Verdict' }>
type Leave = Extract<Command, { type: 'node/Leave' }>

/** A new member's row. The token's labels win over the node's own: who admits a node says what it may be. */
export const nodeOf = (facts: NodeFacts, grantedLabels: Labels, step: Step): Node => ({
  ...facts,
  labels: { ...facts.labels, ...grantedLabels },
  grantedLabels,
  state: 'alive',
  schedulable: true,
  joinedIndex: step.index,
  modifiedIndex: step.index,
  stateChangedAtMs: step.atMs,
})

const hasLeft = (node: Pick<Node, 'id' | 'name'>): Refusal =>
  refuse('E_NODE_LEFT', `node ${node.name} has left the cluster; its identity is not admitted again`, {
    node: node.id,
    name: node.name,
  })

/** Whoever has its log does not ask to be admitted, and whoever forgot what it promised must not vote under that name. */
const lostLog = ({ id, name }: Pick<Node, 'id' | 'name'>): Refusal =>
  refuse('E_LOG_LOST', `node ${name} is a member whose log was on its disk, and is there no more`, {
    node: id,
    name,
  })

export const findNode = (tables: Tables, id: NodeId): { node: Node } | { refusal: Refusal } => {
  const departed = departedOf(tables, id)
  if (departed) return { refusal: hasLeft(departed) }
  const node = tables.nodes.get(id)
  return node ? { node } : { refusal: refuse('E_NOT_FOUND', `there is no node ${id}`, { node: id }) }
}

/** What no member may claim of itself: a name in use, nonsense in numbers. */
export const judgeFacts = (tables: Tables, facts: NodeFacts): Refusal | null => {
  for (const other of tables.nodes.values()) {
    if (other.state === 'left' || other.id === facts.id || other.name !== facts.name) continue
    return refuse('E_NAME_TAKEN', `another node is named ${facts.name}`, { name: facts.name, node: other.id })
  }
  const version = judgeVersion(tables, facts)
  if (version !== null) return version
  // Programs of protocol 1 do not know this rule: while there is one, all must judge as it does.
  const protocol = protocolLevel(tables) > 1 ? judgeProtocol(tables, facts) : null
  if (protocol !== null) return protocol
  const { cpuMillis, memoryBytes } = facts.capacity
  const [first, last] = facts.portRange
  if (!(cpuMillis >= 0 && memoryBytes >= 0))
    return refuse('E_INVALID', 'a capacity is not negative', { cpuMillis, memoryBytes })
  if (!(first >= 1 && first <= last && last <= 65_535))
    return refuse('E_INVALID', `${first}-${last} is no range of ports`, { first, last })
  return null
}

export const joinNode = (
  tables: Tables,
  { node: facts, tokenId, secretHash, atMs }: Join,
  step: Step,
): Verdict => {
  const departed = departedOf(tables, facts.id)
  if (departed) return hasLeft(departed)
  const known = tables.nodes.get(facts.id)
  if (known?.hasLog) return lostLog(known)
  if (known) return change(tables, known, facts, step)
  const token = tables.tokens.get(tokenId)
  const refusal = judgeJoinToken(token, secretHash, atMs) ?? judgeFacts(tables, facts)
  if (refusal || !token) return refusal
  if (token.usesLeft !== null) tables.tokens.set(tokenId, spend(token, token.usesLeft - 1, atMs))
  tables.nodes.set(facts.id, nodeOf(facts, token.labels, step))
  tell(step, `node/${facts.name}`, 'joined', `at ${facts.address} with token ${tokenId}`)
  return null
}

const spend = (token: Token, usesLeft: number, atMs: number): Token => ({
  ...token,
  usesLeft,
  endedAtMs: usesLeft === 0 ? atMs : null,
})

export const updateNode = (tables: Tables, { node: facts }: Update, step: Step): Verdict => {
  const found = findNode(tables, facts.id)
  if ('refusal' in found) return found.refusal
  const refusal = change(tables, found.node, facts, step)
  if (refusal === null) noteLog(tables, facts.id)
  return refusal
}

/** No event, and no change of what the node is. */
const noteLog = (tables: Tables, id: NodeId): void => {
  const node = tables.nodes.get(id)!
  if (node.hasLog !== true) tables.nodes.set(id, { ...node, hasLog: true })
}

/** A node that speaks is alive, whatever the log believed; pods that were given up as lost stay lost. */
const change = (tables: Tables, node: Node, facts: NodeFacts, step: Step): Verdict => {
  const refusal = judgeFacts(tables, facts)
  if (refusal) return refusal
  const labels = { ...facts.labels, ...node.grantedLabels }
  const changed: Node = { ...node, ...facts, labels, state: 'alive' }
  if (isSame(changed, node)) return null
  const isBack = node.state !== 'alive'
  tables.nodes.set(node.id, {
    ...changed,
    modifiedIndex: step.index,
    stateChangedAtMs: isBack ? step.atMs : node.stateChangedAtMs,
  })
  if (isBack) tell(step, `node/${facts.name}`, 'alive', 'it came back')
  else tell(step, `node/${facts.name}`, 'changed', `now at ${facts.address}`)
  return null
}

const enter = (tables: Tables, node: Node, state: NodeState, step: Step): void => {
  tables.nodes.set(node.id, { ...node, state, modifiedIndex: step.index, stateChangedAtMs: step.atMs })
}

export const judgeNode = (tables: Tables, { id, state, reason, counted }: Judge, step: Step): Verdict => {
  const found = findNode(tables, id)
  if ('refusal' in found) return found.refusal
  if (found.node.state === state) return null
  // Whoever was admitted and has not spoken yet may only be slow to start.
  const isLoss = counted === true && state === 'dead' && found.node.hasLog === true
  const losses = isLoss ? { losses: lossesAfter(found.node, step.atMs) } : {}
  enter(tables, { ...found.node, ...losses }, state, step)
  tell(step, `node/${found.node.name}`, state, reason)
  return null
}

export const leaveNode = (tables: Tables, { id }: Leave, step: Step): Verdict => {
  if (departedOf(tables, id)) return null
  const node = tables.nodes.get(id)
  if (!node) return refuse('E_NOT_FOUND', `there is no node ${id}`, { node: id })
  enter(tables, node, 'left', step)
  tell(step, `node/${node.name}`, 'left')
  return null
}
