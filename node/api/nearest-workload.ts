/** The workload that a mistyped name is closest to, looked for in its own namespace only: others are nobody's business. */
import { namespaceOf, type State } from '../../scheduler/index.ts'
import { nearest } from './nearest.ts'

/** `more`: further names that it could have been. */
export const nearestWorkload = (wanted: string, state: State, more: Iterable<string> = []): string | null => {
  const namespace = namespaceOf(wanted)
  const names = [...state.workloads.keys()].filter(name => namespaceOf(name) === namespace)
  return nearest(wanted, [...names, ...more])
}
