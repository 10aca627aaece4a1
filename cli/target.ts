/** How things are named on the command line: `web`, `web.2`, `web@ash`, `web.2@ash`, `node/ash`, a pod's id. */

import type { PodView } from '../node/api/native/schema.ts'
import { nearest } from '../node/api/nearest.ts'
import { Failure } from '../node/errors.ts'
import type { Session } from './command.ts'

/** Whether a pod is meant by the target. */
export const isMeant = (pod: PodView, target: string): boolean => {
  if (target.startsWith('node/')) return pod.node === target.slice('node/'.length)
  const at = target.lastIndexOf('@')
  if (at !== -1 && pod.node !== target.slice(at + 1)) return false
  const name = at === -1 ? target : target.slice(0, at)
  return name === '' || name === pod.workload || name === pod.name || name === pod.id
}

/** `node/ash` and `ash` both name the node ash. */
export const nodeName = (target: string): string => target.replace(/^node\//, '')

/** Targets without a pod are fine when their workload or node exists. Throws E_NOT_FOUND for the first that does not. */
export const checkTargets = async (
  targets: readonly string[],
  pods: readonly PodView[],
  session: Session,
): Promise<void> => {
  const idle = targets.filter(target => !pods.some(pod => isMeant(pod, target)))
  if (idle.length === 0) return
  const [workloads, nodes] = await Promise.all([session.client.workloads(), session.client.nodes()])
  for (const target of idle) {
    const [name = '', node] = target.startsWith('node/') ? ['', nodeName(target)] : target.split('@', 2)
    if (node !== undefined) checkNames([node], nodes, 'node')
    if (name !== '') checkNames([name.replace(/\.\d+$/, '')], workloads, 'workload')
  }
}

/** Throws E_NOT_FOUND, with a guess, for the first name that nothing has. */
export const checkNames = (
  names: readonly string[],
  known: readonly { readonly name: string }[],
  kind: 'workload' | 'node',
): void => {
  const missing = names.find(name => !known.some(each => each.name === name))
  if (missing === undefined) return
  const guess = nearest(
    missing,
    known.map(each => each.name),
  )
  throw new Failure('E_NOT_FOUND', {
    message: `there is no ${kind} ${missing}`,
    try: guess === null ? (kind === 'node' ? 'tutti nodes' : 'tutti jobs') : `did you mean "${guess}"?`,
  })
}
