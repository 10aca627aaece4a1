import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorSystem } from '../../../node/actor/system.ts'
import { encode } from '../../../node/codec.ts'
import type { Consensus } from '../../../node/consensus/consensus.ts'
import { plannerActor } from '../../../node/control/planner.actor.ts'
import { Failure } from '../../../node/errors.ts'
import { foundCluster } from '../../../node/founding.ts'
import { silentLog } from '../../../node/log.ts'
import type { NodeFacts, NodeId, WorkloadSpec } from '../../../scheduler/index.ts'
import { workloadSpec } from '../../harness/agent-world.ts'
import { fakeLog } from '../../harness/fake-consensus.ts'
import { prng } from '../../harness/prng.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const facts: NodeFacts = {
  id: 'ash' as NodeId,
  name: 'ash',
  address: '10.0.0.1',
  peerAddress: '10.0.0.1:7701',
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 64_000, memoryBytes: 2 ** 36 },
  runtime: 'fake',
  portRange: [20_000, 29_999],
  version: '1',
}

/** A leader's planner over a log whose entries hold `bytesMax`. */
const planned = async (bytesMax: number, specs: readonly WorkloadSpec[], ms: number) => {
  const log = fakeLog()
  log.commit({ type: 'cluster/Init', atMs: 0, cluster: foundCluster(0), node: facts })
  for (const spec of specs) log.commit({ type: 'workload/Apply', atMs: 0, spec, checkIndex: null })
  const real = log.consensus('ash')
  const sizes: number[] = []
  const consensus: Consensus = {
    ...real,
    async submit(command, options) {
      const bytes = encode({ requestId: 'r'.repeat(32), command }).byteLength
      if (bytes > bytesMax) throw new Failure('E_TOO_LARGE', 'the request is too large for the log')
      if (command.type === 'plan/Apply') sizes.push(command.plan.changes.length)
      return real.submit(command, options)
    },
  }
  const clock = virtualClock()
  const system = createActorSystem({ clock, random: prng(1, 'planner').random, log: silentLog })
  system.spawn('planner', () => plannerActor({ consensus, seed: () => 1 }))
  for (let passedMs = 0; passedMs < ms; passedMs += 5) {
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(5)
  }
  system.stop()
  return { state: log.state, sizes }
}

test('a plan that is too large for one entry of the log is written in parts', async () => {
  const { state, sizes } = await planned(4_096, [workloadSpec({ count: 60 })], 2_000)
  assert.is(state.pods.size, 60)
  assert.ok(sizes.length > 5 && Math.max(...sizes) < 30, `parts of ${sizes.join(' ')}`)
})

test('whatever a workload asks for in vain, saying so does not hold the others up', async () => {
  const constraints = Array.from({ length: 50 }, (_, number) => ({
    attribute: `label-${number}`,
    operator: 'in' as const,
    values: Array.from({ length: 100 }, (_, value) => `${value}`.repeat(100)),
    hard: true,
    weight: 1,
  }))
  const greedy = workloadSpec({
    name: 'greedy',
    count: 500,
    place: { strategy: 'spread', constraints, spread: [], maxPerNode: null },
  })
  const { state } = await planned(1024 * 1024, [greedy, workloadSpec({ name: 'web', count: 4 })], 1_000)
  assert.is(state.pods.size, 4)
  assert.ok((state.workloads.get('greedy')?.pending.length ?? 0) > 0)
})

test.run()
