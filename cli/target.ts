/** How things are named on the command line: `web`, `web.2`, `web@ash`, `web.2@ash`, `node/ash`, a pod's id. */
import type { PodView } from '../node/api/native/schema.ts'

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
