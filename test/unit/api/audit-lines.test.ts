/** The trails as a reader gets them: whole, then what comes, and anew when they went on without it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { auditLines } from '../../../node/api/native/audit-lines.ts'
import type { AuditLine } from '../../../node/api/native/schema-access.ts'
import { AUDIT_KEPT_MAX } from '../../../scheduler/audit/trail.ts'
import type { State } from '../../../scheduler/index.ts'
import { id, World } from '../scheduler/fixtures.ts'

const BY = { who: 'local', from: null, node: id('ash') }

const setUp = () => {
  const world = new World().init('ash').apply({})
  const listeners = new Set<() => void>()
  let state: State = world.state
  const gateway = {
    state: () => state,
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const scale = (to = world): void => {
    to.do({ type: 'workload/Scale', name: 'web', count: to.state.index % 9 }, undefined, undefined, BY)
  }
  const ring = (): void => {
    for (const listener of listeners) listener()
  }
  const replace = (next: State): void => {
    state = next
  }
  return { world, gateway, scale, ring, replace }
}

const take = async (lines: AsyncIterator<AuditLine>, count: number): Promise<readonly AuditLine[]> => {
  const taken: AuditLine[] = []
  while (taken.length < count) taken.push((await lines.next()).value as AuditLine)
  return taken
}

const shown = (lines: readonly AuditLine[]): readonly string[] =>
  lines.map(line =>
    line.type === 'trail'
      ? `${line.trail} from ${line.next}`
      : `${line.trail} ${JSON.parse(line.text).number}`,
  )

const never = new AbortController().signal

test('once: both trails, each begun by a line that says where', async () => {
  const { gateway, scale } = setUp()
  for (let count = 0; count < 3; count++) scale()
  const lines: AuditLine[] = []
  for await (const line of auditLines(gateway, { follow: false, signal: never })) lines.push(line)
  assert.equal(shown(lines), ['done from 1', 'done 1', 'done 2', 'done 3', 'tried from 1'])
  const [begin, , , last] = lines
  assert.is(begin?.type === 'trail' && begin.head, last?.type === 'record' && last.hash)
})

test('followed: what comes is added, nothing twice', async () => {
  const { gateway, scale, ring } = setUp()
  scale()
  const lines = auditLines(gateway, { follow: true, signal: never })
  assert.equal(shown(await take(lines, 3)), ['done from 1', 'done 1', 'tried from 1'])
  const next = lines.next()
  scale()
  scale()
  ring()
  assert.equal(shown([(await next).value as AuditLine, ...(await take(lines, 1))]), ['done 2', 'done 3'])
})

test('a reader that was too slow begins anew, and so does one whose trail was taken back', async () => {
  const { gateway, scale, ring, replace } = setUp()
  scale()
  const lines = auditLines(gateway, { follow: true, signal: never })
  await take(lines, 3)
  for (let count = 0; count <= AUDIT_KEPT_MAX.done; count++) scale()
  const next = lines.next()
  ring()
  assert.equal(shown([(await next).value as AuditLine]), ['done from 3'])
  await take(lines, AUDIT_KEPT_MAX.done)
  const other = new World().init('ash').apply({ count: 5 })
  for (let count = 0; count < 2; count++) scale(other)
  replace(other.state)
  const again = lines.next()
  ring()
  assert.equal(shown([(await again).value as AuditLine, ...(await take(lines, 2))]), [
    'done from 1',
    'done 1',
    'done 2',
  ])
})

test.run()
