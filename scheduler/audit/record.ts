/** What the audit trail says of each entry of the log: who asked for it, from where, and what became of it. */
import type { Command, Outcome, Request } from '../commands.ts'
import type { Actor, AuditRecord, Note } from '../model/audit.ts'
import type { NodeId } from '../model/node.ts'
import type { Tables } from '../tables.ts'
import { append } from './trail.ts'

const TEXT_LENGTH_MAX = 256

/** What the cluster concludes by itself is told by its events; all else was asked for by somebody. */
const isAskedFor = ({ type }: Command): boolean =>
  type !== 'plan/Apply' && type !== 'pod/Report' && type !== 'node/Verdict' && type !== 'audit/Note'

/** Takes down one command that the log carried, with what became of it. `tables` are as they are after it. */
export const recordCommand = (
  tables: Tables,
  { command, by, requestId }: Request,
  outcome: Outcome,
): void => {
  if (!isAskedFor(command)) return
  // The trail begins with the first entry that names somebody: the same one on every node, whichever snapshot of a version
  // without a trail it began from.
  if (by === undefined && tables.audit.done.next === 1) return
  const [target, detail] = summaryOf(tables, command)
  append(tables.audit, 'done', {
    index: outcome.index,
    atMs: command.atMs,
    ...attributionOf(tables, command, by),
    action: command.type,
    target: cut(target),
    detail: cut(detail),
    outcome: outcome.ok ? 'ok' : outcome.refusal.code,
    requestId,
  })
}

/** Takes down what a node has seen at its doors. */
export const recordNote = (
  tables: Tables,
  note: Note,
  at: { readonly index: number; readonly node: string; readonly requestId: string },
): void =>
  append(tables.audit, note.trail, {
    index: at.index,
    atMs: note.seenAtMs,
    who: cut(note.who),
    name: tokenName(tables, note.who),
    from: note.from === null ? null : cut(note.from),
    node: nodeName(tables, at.node),
    action: cut(note.action),
    target: cut(note.target),
    detail: cut(note.detail),
    outcome: cut(note.outcome),
    requestId: at.requestId,
  })

type Attribution = Pick<AuditRecord, 'who' | 'name' | 'from' | 'node'>

/** Nodes speak for themselves without an actor, and so does an entry of an older version of the program. */
const attributionOf = (tables: Tables, command: Command, by: Actor | undefined): Attribution => {
  if (by !== undefined)
    return {
      who: cut(by.who),
      name: tokenName(tables, by.who),
      from: by.from === null ? null : cut(by.from),
      node: nodeName(tables, by.node),
    }
  if (command.type === 'node/Join')
    return {
      who: `token/${cut(command.tokenId)}`,
      name: tokenName(tables, `token/${command.tokenId}`),
      from: command.node.peerAddress,
      node: command.node.name,
    }
  if (command.type === 'node/Update' || command.type === 'cluster/Init')
    return { who: 'node', name: null, from: null, node: command.node.name }
  return { who: 'node', name: null, from: null, node: '' }
}

/** What it is about, and a few words more. Never what a user may have put a secret into. */
const summaryOf = (tables: Tables, command: Command): readonly [target: string, detail: string] => {
  switch (command.type) {
    case 'cluster/Init':
      return ['cluster', `by node ${command.node.name}`]
    case 'cluster/SetVoters':
      return ['cluster', `at most ${command.votersMax} nodes vote`]
    case 'token/Create': {
      const { id, kind, role, namespace } = command.token
      return [`token/${id}`, kind === 'join' ? 'join' : `${role}${namespace ? ` in ${namespace}` : ''}`]
    }
    case 'token/Revoke':
      return [`token/${command.id}`, '']
    case 'node/Join':
    case 'node/Update':
      return [`node/${command.node.name}`, `version ${command.node.version}`]
    case 'node/Drain':
    case 'node/Activate':
    case 'node/Leave':
      return [`node/${nodeName(tables, command.id)}`, '']
    case 'workload/Apply':
      return [`workload/${command.spec.name}`, `${command.spec.kind}, ${command.spec.count} wanted`]
    case 'workload/Scale':
      return [`workload/${command.name}`, `${command.count} wanted`]
    case 'workload/Stop':
    case 'workload/Restart':
    case 'workload/Remove':
      return [`workload/${command.name}`, '']
    default:
      return ['', '']
  }
}

const nodeName = (tables: Tables, id: string): string => tables.nodes.get(id as NodeId)?.name ?? cut(id)

const tokenName = (tables: Tables, who: string): string | null =>
  who.startsWith('token/') ? (tables.tokens.get(who.slice('token/'.length))?.name ?? null) : null

/** Some of it comes from outside: a record stays short whatever that is. */
const cut = (text: string): string =>
  text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX - 1)}…`
