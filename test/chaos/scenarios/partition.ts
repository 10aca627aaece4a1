/** The leader and one other node are cut off: the minority refuses writes and keeps its containers, the majority goes on. */
import * as assert from 'uvu/assert'
import { attempt, must, until } from '../../harness/run-command.ts'
import type { LabCluster } from '../cluster.ts'
import type { Host } from '../host.ts'
import { noSlotHasTwoOwners } from './killing.ts'

/** Exit code for `no quorum`. */
const EXIT_NO_QUORUM = 6

/** Drops all bridged traffic between the two groups, in both directions; hosts of one group still talk. */
const split = (minority: readonly Host[], majority: readonly Host[]): (() => void) => {
  const rules = minority.flatMap(left =>
    majority.flatMap(right => [
      [left.address, right.address],
      [right.address, left.address],
    ]),
  )
  for (const [from, to] of rules)
    must('iptables', ['-w', '-I', 'FORWARD', '1', '-s', from as string, '-d', to as string, '-j', 'DROP'])
  return () => {
    for (const [from, to] of rules)
      attempt('iptables', ['-w', '-D', 'FORWARD', '-s', from as string, '-d', to as string, '-j', 'DROP'])
  }
}

export const leaderIsCutOff = async (cluster: LabCluster): Promise<void> => {
  const hosts = cluster.lab.hosts.slice(0, 5)
  const leader = await cluster.leader(hosts[0] as Host)
  const companion = hosts.find(host => host !== leader) as Host
  const minority = [leader, companion]
  const majority = hosts.filter(host => !minority.includes(host))
  const containersBefore = new Map(minority.map(host => [host.name, host.runningPods().length]))
  const heal = split(minority, majority)
  try {
    const witness = majority[0] as Host
    await until('the majority to elect', 15_000, async () => {
      const status = await cluster.status(witness)
      return status?.hasQuorum === true && majority.some(host => host.name === status.leader) ? true : null
    })
    for (const host of minority) {
      const refused = await host.tutti(['scale', 'web=11', '--timeout', '5s'])
      assert.is(refused.code, EXIT_NO_QUORUM, `${host.name} in the minority: ${refused.stderr}`)
    }
    await cluster.healthyOn('web', 10, majority, witness, 30_000)
    const scaled = await witness.tutti([
      'run',
      '--name',
      'during-partition',
      '--count',
      '0',
      '--image',
      'busybox:latest',
      '--detach',
    ])
    assert.is(scaled.code, 0, scaled.stderr)
    for (const host of minority)
      assert.is(
        host.runningPods().length,
        containersBefore.get(host.name),
        `${host.name} keeps its containers`,
      )
  } finally {
    heal()
  }
  for (const host of hosts) {
    await until(`${host.name} to have the one state`, 20_000, async () =>
      (await cluster.workloadNames(host)).includes('during-partition') ? true : null,
    )
  }
  await noSlotHasTwoOwners(cluster, 15_000)
  await cluster.healthy('web', 10, leader, 20_000)
}
