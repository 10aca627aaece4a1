import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AgentWorld, workloadSpec } from '../../harness/agent-world.ts'

test('a bug met by a container’s actor costs a moment, not the pod', async () => {
  const world = new AgentWorld()
  world.must({ type: 'workload/Apply', spec: workloadSpec(), checkIndex: null })
  let bugs = 1
  world.boot(runtime => ({
    ...runtime,
    start(run) {
      if (bugs-- > 0) throw new Error('a bug')
      return runtime.start(run)
    },
  }))
  const id = world.assign('web')
  await world.run(5_000)
  assert.is(world.pod(id).state, 'running')
  assert.equal(world.containers(), ['web.1/main running'])
})

test.run()
