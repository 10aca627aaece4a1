/** Commands about the cluster as a whole and its tokens. */
import type { Command } from '../commands.ts'
import type { Tables } from '../tables.ts'
import { VOTERS_MAX_CHOICES, VOTERS_MAX_DEFAULT } from '../voters.ts'
import { durationOf, ZONE_LOSS_MS_MAX, zoneLossMsOf } from '../zone-loss.ts'
import { judgeFacts, nodeOf } from './nodes.ts'
import { refuse, type Step, tell, type Verdict } from './step.ts'

type Init = Extract<Command, { type: 'cluster/Init' }>
type SetVoters = Extract<Command, { type: 'cluster/SetVoters' }>
type SetZoneLoss = Extract<Command, { type: 'cluster/SetZoneLoss' }>
type Create = Extract<Command, { type: 'token/Create' }>
type Revoke = Extract<Command, { type: 'token/Revoke' }>

export const initCluster = (tables: Tables, { cluster, node }: Init, step: Step): Verdict => {
  if (tables.cluster)
    return refuse('E_ALREADY_INITIALISED', `cluster ${tables.cluster.name} exists already`, {
      cluster: tables.cluster.id,
    })
  const refusal = judgeFacts(tables, node)
  if (refusal) return refusal
  tables.cluster = cluster
  tables.nodes.set(node.id, { ...nodeOf(node, {}, step), hasLog: true })
  tell(step, 'cluster', 'initialised', `${cluster.name} by node ${node.name}`)
  tell(step, `node/${node.name}`, 'joined', 'as the first node')
  return null
}

export const setVoters = (tables: Tables, { votersMax }: SetVoters, step: Step): Verdict => {
  const { cluster } = tables
  if (!VOTERS_MAX_CHOICES.includes(votersMax))
    return refuse(
      'E_INVALID',
      `${votersMax} is no number of voters: choose ${VOTERS_MAX_CHOICES.join(', ')}`,
      {
        votersMax,
      },
    )
  if (!cluster) return refuse('E_NOT_FOUND', 'there is no cluster yet')
  if (votersMax === (cluster.votersMax ?? VOTERS_MAX_DEFAULT)) return null
  tables.cluster = { ...cluster, votersMax }
  tell(step, 'cluster', 'changed', `at most ${votersMax} nodes vote`)
  return null
}

export const setZoneLoss = (tables: Tables, { waitMs }: SetZoneLoss, step: Step): Verdict => {
  const { cluster } = tables
  if (waitMs !== null && !(Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= ZONE_LOSS_MS_MAX))
    return refuse('E_INVALID', `${waitMs} is no time to wait for a zone: up to ${ZONE_LOSS_MS_MAX} ms`, {
      waitMs,
    })
  if (!cluster) return refuse('E_NOT_FOUND', 'there is no cluster yet')
  if (zoneLossMsOf(cluster) === waitMs) return null
  tables.cluster = { ...cluster, zoneLossMs: waitMs }
  const text =
    waitMs === null
      ? 'the work of a zone that is lost as a whole waits until it is back'
      : `the work of a zone that is lost as a whole moves after ${durationOf(waitMs)}`
  tell(step, 'cluster', 'changed', text)
  return null
}

export const createToken = (tables: Tables, { token, atMs }: Create, step: Step): Verdict => {
  if (tables.tokens.has(token.id))
    return refuse('E_CONFLICT', `a token ${token.id} exists already`, { token: token.id })
  if (token.uses !== null && (!Number.isInteger(token.uses) || token.uses < 1))
    return refuse('E_INVALID', 'a token has at least one use', { token: token.id, uses: token.uses })
  const { uses, ...rest } = token
  tables.tokens.set(token.id, { ...rest, usesLeft: uses, createdAtMs: atMs, revoked: false, endedAtMs: null })
  tell(step, `token/${token.id}`, 'created', token.kind === 'join' ? 'admits nodes' : `role ${token.role}`)
  return null
}

export const revokeToken = (tables: Tables, { id, atMs }: Revoke, step: Step): Verdict => {
  const token = tables.tokens.get(id)
  if (!token) return refuse('E_NOT_FOUND', `there is no token ${id}`, { token: id })
  if (token.revoked) return null
  tables.tokens.set(id, { ...token, revoked: true, endedAtMs: token.endedAtMs ?? atMs })
  tell(step, `token/${id}`, 'revoked')
  return null
}
