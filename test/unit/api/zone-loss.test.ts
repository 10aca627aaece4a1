import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { NativeDeps } from '../../../node/api/native/write.ts'
import { setZoneLoss } from '../../../node/api/native/zone-loss.ts'
import type { ApiRequest } from '../../../node/api/request.ts'
import { Failure } from '../../../node/errors.ts'
import { nodeFacts, World } from '../scheduler/fixtures.ts'

/** Asks for it in a cluster whose nodes speak these protocols; what was submitted. */
const askIn = async (protocols: readonly number[], body: unknown): Promise<unknown[]> => {
  const world = new World().init('ash', 'birch')
  for (const [position, name] of ['ash', 'birch'].entries())
    world.ok({ type: 'node/Update', node: nodeFacts(name, { protocol: protocols[position] ?? 1 }) })
  const submitted: unknown[] = []
  const gateway = {
    read: async () => world.state,
    submit: async (intent: unknown) => submitted.push(intent),
  }
  const caller = { role: 'admin', name: 'local', via: null, from: null, namespace: null, grants: [] }
  const request = { query: {}, requestId: 'r1', caller, body: async () => body } as unknown as ApiRequest
  await setZoneLoss({ gateway } as unknown as NativeDeps)(request, {})
  return submitted
}

const refusedIn = (protocols: readonly number[], body: unknown): Promise<unknown> =>
  askIn(protocols, body).then(
    () => assert.unreachable('it was taken'),
    thrown => (thrown instanceof Failure ? thrown.code : thrown),
  )

test('it is written once every member understands it, and refused before that', async () => {
  assert.equal(await askIn([2, 2], { waitMs: 30_000 }), [{ type: 'cluster/SetZoneLoss', waitMs: 30_000 }])
  assert.equal(await askIn([2, 2], { waitMs: null }), [{ type: 'cluster/SetZoneLoss', waitMs: null }])
  assert.is(await refusedIn([2, 1], { waitMs: 30_000 }), 'E_VERSION')
})

test('nonsense is refused before anything is written', async () => {
  for (const body of [{}, { waitMs: -1 }, { waitMs: 1.5 }, { waitMs: '30s' }, { waitMs: 1e12 }, { wait: 1 }])
    assert.is(await refusedIn([2, 2], body), 'E_INVALID', JSON.stringify(body))
})

test.run()
