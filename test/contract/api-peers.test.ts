import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventView, WriteResult } from '../../node/api/native/schema.ts'
import { ask, follow } from '../harness/api-client.ts'
import { bearer, closeAll, house, post, webFile } from '../harness/api-house.ts'
import { spec } from '../harness/api-world.ts'

const proxying = suite('api between nodes')
proxying.after.each(closeAll)

proxying('any request is answered by the node that it names', async () => {
  const { world, local } = await house(['ash', 'birch'])
  const version = await ask(local, '/tutti/v1/version?node=birch')
  assert.equal(
    [version.headers['tutti-node'], version.items<{ node: string }>()[0]?.node],
    ['birch', 'birch'],
  )
  assert.is((await ask(local, '/tutti/v1/version?node=ash')).headers['tutti-node'], 'ash')
  assert.is(
    (await post(local, '/workloads?node=birch', { spec: webFile(1) })).json<WriteResult>().changed,
    true,
  )
  const missing = await ask(local, '/tutti/v1/workloads/none?node=birch')
  assert.equal([missing.status, missing.error().code], [404, 'E_NOT_FOUND'])
  const unknown = await ask(local, '/tutti/v1/version?node=brich')
  assert.equal([unknown.status, unknown.error().facts.guess], [404, 'birch'])
  world.unreachable.add('peer-birch')
  const lost = await ask(local, '/tutti/v1/version?node=birch')
  assert.equal([lost.status, lost.error().code, lost.error().facts.node], [503, 'E_UNREACHABLE', 'birch'])
})

proxying('the role is that of the token, on whichever node the request ends', async () => {
  const { remote, tokenFor } = await house(['ash', 'birch'])
  const viewer = bearer(await tokenFor('viewer'))
  assert.is((await ask(remote, '/tutti/v1/version?node=birch', viewer)).status, 200)
  assert.is(
    (await ask(remote, '/tutti/v1/workloads/web?node=birch', { method: 'DELETE', ...viewer })).status,
    403,
  )
})

proxying('a large list passes whole', async () => {
  const { world, local } = await house(['ash', 'birch'])
  for (let count = 0; count < 600; count++)
    world.apply(spec(`web-${count}`, { pod: { ...spec('x').pod, labels: { note: '🎻'.repeat(30) } } }))
  const [here, there] = [
    await ask(local, '/tutti/v1/workloads'),
    await ask(local, '/tutti/v1/workloads?node=birch'),
  ]
  assert.ok(here.text.length > 300_000)
  assert.equal(there.items(), here.items())
})

proxying('a stream of another node is followed, and ends with the client', async () => {
  const { world, local } = await house(['ash', 'birch'])
  const stream = await follow(local, `/tutti/v1/events?follow=1&node=birch&from=${world.log.state.index + 1}`)
  world.apply(spec('web'))
  assert.is((await stream.next<EventView>())?.subject, 'workload/web')
  stream.close()
})

proxying('a stream whose node is lost breaks off and does not end as if all were told', async () => {
  const { world, local } = await house(['ash', 'birch'])
  const stream = await follow(local, `/tutti/v1/events?follow=1&node=birch&from=${world.log.state.index + 1}`)
  world.unreachable.add('peer-birch')
  world.apply(spec('web'))
  const thrown = await stream.next().then(
    () => null,
    (error: Error) => error,
  )
  assert.ok(thrown)
})

proxying.run()
