/** Which pods of a slot give way to which: the one rule that planning and `apply` share, so that they cannot differ. */
import { isOwner } from './lifecycle.ts'
import type { Node } from './model/node.ts'
import type { Pod } from './model/pod.ts'
import type { Revision, Workload } from './model/workload.ts'

/** Of an older generation than the one now wanted. */
export const isOutdated = (pod: Pod, workload: Workload): boolean => pod.generation < workload.generation

/**
 * What the pods of one generation run by, from the first to the last; null when the workload is gone, or is another one
 * of the same name: such pods have been told to stop.
 */
export const revisionOf = (workload: Workload | undefined, generation: number): Revision | null => {
  if (workload?.generation !== generation)
    return workload?.past.find(past => past.generation === generation) ?? null
  return { generation, pod: workload.spec.pod, restart: workload.spec.restart }
}

/** On a node that is being drained. Pods on dead nodes are lost instead. */
export const isDisplaced = (node: Node): boolean => node.state === 'alive' && !node.schedulable

/** Batch pods and the pods of a node (global) never overlap with their successors unless an update says so. */
export const mayOverlap = (workload: Workload): boolean =>
  workload.spec.kind !== 'batch' && workload.spec.update.order === 'start-first'

/**
 * Whether a successor may start while `pod` still owns the slot: a start-first update of an older pod, or a service's
 * move off a drained node. Everything else must have ended first: no slot has two live owners of equal standing.
 */
export const mayStartBeside = (pod: Pod, workload: Workload, node: Node): boolean =>
  isOwner(pod) &&
  ((isOutdated(pod, workload) && mayOverlap(workload)) ||
    (workload.spec.kind === 'service' && isDisplaced(node)))
