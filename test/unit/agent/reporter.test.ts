import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createActorSystem } from '../../../node/actor/system.ts'
import { reporterActor } from '../../../node/agent/reporter.actor.ts'
import type { Consensus } from '../../../node/consensus/consensus.ts'
import { Failure } from '../../../node/errors.ts'
import { silentLog } from '../../../node/log.ts'
import { emptyState, type NodeId, type PodId, type PodReport } from '../../../scheduler/index.ts'
import { prng } from '../../harness/prng.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const reportOf = (id: string): PodReport => ({
  id: id as PodId,
  state: 'running',
  health: 'none',
  restarts: 0,
  reason: null,
  containers: [],
})

test('reports that are too large for one entry of the log are written in parts', async () => {
  const written: number[] = []
  const consensus: Pick<Consensus, 'state' | 'submit'> = {
    state: emptyState,
    async submit(command) {
      const count = command.type === 'pod/Report' ? command.reports.length : 0
      if (count > 10) throw new Failure('E_TOO_LARGE', 'the request is too large for the log')
      written.push(count)
      return { ok: true, index: 1 }
    },
  }
  const clock = virtualClock()
  const system = createActorSystem({ clock, random: prng(1, 'reporter').random, log: silentLog })
  const reporter = system.spawn('reporter', () => reporterActor({ self: 'ash' as NodeId, consensus }))
  for (let number = 0; number < 100; number++)
    reporter.send({ type: 'reporter/Report', report: reportOf(`pod-${number}`) })
  for (let passedMs = 0; passedMs < 4_000; passedMs += 50) {
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(50)
  }
  system.stop()
  assert.is(
    written.reduce((sum, count) => sum + count, 0),
    100,
  )
})

test.run()
