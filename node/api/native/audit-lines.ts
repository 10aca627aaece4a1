/** The audit trails as lines: where each begins, its records with their hashes, and then those that come. */
import { type AuditTrails, headOf, type Trail, type TrailName } from '../../../scheduler/index.ts'
import type { Gateway } from '../gateway.ts'
import { createBell } from '../stream.ts'
import type { AuditLine } from './schema-access.ts'

const NAMES: readonly TrailName[] = ['done', 'tried']
const HASH_LENGTH = 64

type Options = { readonly follow: boolean; readonly signal: AbortSignal }

/** A trail that went on without this reader, or was taken back by a recovery, is begun anew with another `trail` line. */
export async function* auditLines(
  gateway: Pick<Gateway, 'state' | 'subscribe'>,
  { follow, signal }: Options,
): AsyncGenerator<AuditLine> {
  const bell = createBell()
  const unsubscribe = gateway.subscribe(bell.ring)
  signal.addEventListener('abort', bell.ring)
  const told = new Map<TrailName, Told>()
  try {
    while (!signal.aborted) {
      const rung = bell.next()
      for (const name of NAMES) yield* linesOf(name, gateway.state().audit, told)
      if (!follow) return
      await rung
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', bell.ring)
  }
}

/** What the reader has of a trail. */
type Told = { readonly next: number; readonly head: string }

function* linesOf(name: TrailName, audit: AuditTrails, told: Map<TrailName, Told>): Generator<AuditLine> {
  const trail = audit[name]
  const before = told.get(name)
  const first = trail.next - trail.rows.size
  const goesOn =
    before !== undefined && before.next >= first && hashBefore(trail, before.next) === before.head
  // Taken before anything is yielded: the trail may move on while a slow reader reads.
  const from = goesOn ? before.next : first
  const rows = [...trail.rows].filter(([number]) => number >= from).map(([, row]) => row)
  const head = headOf(trail)
  told.set(name, { next: trail.next, head })
  if (!goesOn) yield { type: 'trail', trail: name, anchor: trail.anchor, next: first, head }
  for (const row of rows)
    yield { type: 'record', trail: name, hash: row.slice(0, HASH_LENGTH), text: row.slice(HASH_LENGTH + 1) }
}

/** The hash that the record of that number continues; null when it is not known. */
const hashBefore = ({ anchor, next, rows }: Trail, number: number): string | null => {
  if (number > next) return null
  if (number === next - rows.size) return anchor
  return rows.get(number - 1)?.slice(0, HASH_LENGTH) ?? null
}
