/** What an engine refuses or fails at: each with its clear reason, and everything else goes on. */
import * as assert from 'uvu/assert'
import { until } from '../../harness/run-command.ts'
import type { LabCluster } from '../cluster.ts'

/** No registry is in reach of the lab, so an image that no engine has cannot be had. */
export const imageIsMissing = async (cluster: LabCluster): Promise<void> => {
  const host = cluster.lab.host(2)
  const done = await host.tutti([
    'run',
    '--name',
    'ghost',
    '--count',
    '1',
    '--image',
    'no-such-image:1',
    '--timeout',
    '15s',
  ])
  assert.is(done.code === 0, false, 'a workload without its image does not count as deployed')
  const reasons = (await cluster.pods(host))
    .filter(pod => pod.name.startsWith('ghost.'))
    .map(pod => pod.reason ?? '')
  assert.ok(
    reasons.some(reason => /no-such-image/.test(reason)),
    `ps tells the reason: ${reasons.join(' | ')}`,
  )
  const told = await host.tutti(['explain', 'ghost.1'])
  assert.match(told.stdout, /no-such-image/)
  assert.is((await host.tutti(['rm', 'ghost'])).code, 0)
  await cluster.healthy('web', 10, host, 20_000)
}

/** The engine dies under a running node and comes back: the node lives on and says what is wrong meanwhile. */
export const engineDies = async (cluster: LabCluster): Promise<void> => {
  const host = cluster.lab.host(3)
  const pidBefore = host.nodePid()
  host.signalEngine('SIGSTOP')
  try {
    await until(
      'doctor to name the engine',
      30_000,
      async () =>
        /runtime\s+\S+ failure/.test((await host.tutti(['doctor', '--timeout', '20s'])).stdout) ? true : null,
      () => host.nodeLog(),
      500,
    )
    assert.is(
      (
        await host.tutti([
          'run',
          '--name',
          'while-frozen',
          '--count',
          '0',
          '--image',
          'busybox:latest',
          '--detach',
        ])
      ).code,
      0,
      'writes go on',
    )
  } finally {
    host.signalEngine('SIGCONT')
  }
  await cluster.healthy('web', 10, host, 60_000)
  assert.is(host.nodePid(), pidBefore, 'the node program lives on')
}
