/** How fresh a read must be, as `?consistency=` says it. */
import { Failure } from '../errors.ts'
import { parseDuration } from './native/quantities.ts'
import type { ApiRequest } from './request.ts'

/**
 * `local` answers at once with its age. `linear` covers every write acknowledged before the read was asked for. A
 * bound answers at once while this replica is known to have been up to date that recently, and reads linearly otherwise.
 */
export type Consistency = 'local' | 'linear' | { readonly ageMsMax: number }

const BOUND = 'bounded:'

/** Null for what is none of the three forms. */
export const parseConsistency = (text: string): Consistency | null => {
  if (text === 'local' || text === 'linear') return text
  if (!text.startsWith(BOUND)) return null
  const parsed = parseDuration(text.slice(BOUND.length))
  return parsed.ok ? { ageMsMax: parsed.value } : null
}

export const consistencyText = (consistency: Consistency): string =>
  typeof consistency === 'string' ? consistency : `${BOUND}${consistency.ageMsMax}ms`

/** What the request asks for, `otherwise` when it does not say. Throws E_INVALID. */
export const consistencyOf = ({ query }: ApiRequest, otherwise: Consistency): Consistency => {
  const text = query.consistency
  if (text === undefined) return otherwise
  const consistency = parseConsistency(text)
  if (consistency !== null) return consistency
  throw new Failure(
    'E_INVALID',
    {
      message: `consistency must be local, linear or bounded:DURATION, got "${text}"`,
      why: 'local: at once, with its age; linear: covers every acknowledged write; bounded:500ms: at most that old',
      try: '?consistency=bounded:500ms',
    },
    { facts: { field: 'consistency' } },
  )
}
