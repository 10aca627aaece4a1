/** The reader's side of the chain, against every way in which a node could lie about a record. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { followTrails } from '../../../cli/audit-trail.ts'
import { auditLines } from '../../../node/api/native/audit-lines.ts'
import type { AuditLine } from '../../../node/api/native/schema-access.ts'
import { headOf } from '../../../scheduler/index.ts'
import { id, World } from '../scheduler/fixtures.ts'

const linesOf = async (): Promise<{ readonly lines: readonly AuditLine[]; readonly head: string }> => {
  const world = new World().init('ash').apply({})
  for (let count = 0; count < 5; count++) {
    const by = { who: 'local', from: null, node: id('ash') }
    world.do({ type: 'workload/Scale', name: 'web', count }, undefined, undefined, by)
  }
  const gateway = { state: () => world.state, subscribe: () => () => undefined }
  const lines: AuditLine[] = []
  const signal = new AbortController().signal
  for await (const line of auditLines(gateway, { follow: false, signal })) lines.push(line)
  return { lines, head: headOf(world.state.audit.done) }
}

const read = (lines: readonly AuditLine[]) => {
  const follower = followTrails()
  const items = lines.flatMap(line => follower.take(line) ?? [])
  return { items, follower }
}

test('an honest trail is read whole, and ends with its head', async () => {
  const { lines, head } = await linesOf()
  const { items, follower } = read(lines)
  assert.equal(
    items.map(({ number }) => number),
    [1, 2, 3, 4, 5],
  )
  assert.is(follower.followed().get('done')?.head, head)
  assert.is(follower.hashOf('done', 5), head)
  assert.is(follower.hashOf('done', 6), null)
})

test('a record that is changed, left out, repeated, moved or made up is found', async () => {
  const { lines } = await linesOf()
  const [begin, one, two, three, ...rest] = lines as [
    AuditLine,
    AuditLine,
    AuditLine,
    AuditLine,
    ...AuditLine[],
  ]
  const changed = two.type === 'record' ? { ...two, text: two.text.replace('wanted', 'WANTED') } : two
  const rehashed = changed.type === 'record' ? { ...changed, hash: 'f'.repeat(64) } : changed
  for (const wrong of [
    [begin, one, changed, three, ...rest],
    [begin, one, rehashed, three, ...rest],
    [begin, one, three, ...rest],
    [begin, one, two, two, three, ...rest],
    [begin, two, one, three, ...rest],
    [one, two],
  ])
    assert.throws(() => read(wrong), /broken at record/)
})

test.run()
