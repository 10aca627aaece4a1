/** Routes for bad days: a backup before them, what is left when the quorum is gone, and founding the cluster anew from it. */
import type { NodeId } from '../../../../scheduler/index.ts'
import { Failure } from '../../../errors.ts'
import type { Handler } from '../../dialect.ts'
import { nameOfNode } from '../../node-name.ts'
import { json, jsonLines } from '../../reply.ts'
import { type Caller, fieldsOf, timeoutOf } from '../../request.ts'
import type { NativeRoute } from '../access.ts'
import { listOf, pictureOf } from '../picture.ts'
import type { RecoveryResult } from '../schema.ts'
import { type NativeDeps, noteAct, stateToChange, WRITE_TIMEOUT_MS } from '../write.ts'
import { backupOf, readmissionOf } from './backup.ts'
import { readmit } from './readmission.ts'
import { checkRecovery, survey } from './recovery.ts'

export const recoveryRoutes = (deps: NativeDeps): readonly NativeRoute[] => {
  const { consensus, gateway, node, log, clock } = deps

  const backup: Handler = async request => {
    const state = await stateToChange(gateway, request)
    noteAct(deps, request, { action: 'backup', target: 'cluster' })
    return jsonLines(backupOf(state, gateway.status(), node, clock.wallMs()))
  }

  const look: Handler = async request => json(listOf(pictureOf(deps), [await survey(deps, request)]))

  const recover: Handler = async request => {
    await fieldsOf(request, [])
    checkLocal(request.caller)
    checkRecovery(node.name, await survey(deps, request))
    log.warn('the cluster is about to be founded anew from this node', { by: request.caller.name })
    const { index, term, keptIn } = await consensus.recover()
    noteAct(deps, request, { action: 'recover', target: 'cluster' })
    // Answers once it takes writes; that it has not begun to within this time is for `tutti raft` to tell.
    await consensus.barrier({ timeoutMs: timeoutOf(request, WRITE_TIMEOUT_MS) }).catch(() => undefined)
    return json({
      apiVersion: 'tutti/v1',
      index,
      changed: true,
      message: `${node.name} has founded the cluster anew, from entry ${index} of term ${term}`,
      keptIn,
    } satisfies RecoveryResult)
  }

  const readmission: Handler = async request => {
    const { node: member } = await fieldsOf(request, ['node'])
    if (typeof member !== 'string' || request.caller.via !== member)
      throw new Failure('E_FORBIDDEN', {
        message: 'only a member itself may ask to be let in anew',
        why: 'it must have proven its key on the connection that asks',
        try: 'on that machine: tutti repair',
      })
    await readmit(consensus, member as NodeId)
    noteAct(deps, request, { action: 'readmission', target: `node/${nameOfNode(gateway.state(), member)}` })
    log.warn('a member that lost its log is let in anew', { member })
    return jsonLines(readmissionOf(gateway.state(), gateway.status(), node, clock.wallMs()))
  }

  return [
    { method: 'POST', path: '/readmission', handler: readmission },
    { method: 'GET', path: '/backup', handler: backup },
    { method: 'GET', path: '/recovery', handler: look },
    { method: 'POST', path: '/recovery', handler: recover },
  ]
}

/** Passed on by a member, it is still the admin on that member's own machine. */
const checkLocal = ({ name }: Caller): void => {
  if (name === 'local') return
  throw new Failure('E_FORBIDDEN', {
    message: 'only the local admin of a node may recover a cluster',
    why: 'it decides that nodes which do not answer never will: for that one must be able to look',
    try: 'on a node, over its unix socket: tutti recover',
  })
}
