/** Hosts die with node and engine, leader included, and come back: nothing acknowledged is lost and the work moves. */
import * as assert from 'uvu/assert'
import type { Prng } from '../../harness/prng.ts'
import { until } from '../../harness/run-command.ts'
import type { LabCluster } from '../cluster.ts'
import type { Host } from '../host.ts'

export type KillRound = {
  readonly victim: string
  readonly wasLeader: boolean
  readonly wasSilent: boolean
  /** Pods that had to move; a host that has just come back carries none. */
  readonly podCount: number
  readonly healthyMs: number
}

/** No slot may have two owners this long after a host has returned. */
const SETTLED_AFTER_RETURN_MS = 10_000
const POD_COUNT = 10

const WEB = [
  'run',
  '--name',
  'web',
  '--count',
  String(POD_COUNT),
  '--image',
  'busybox:latest',
  '-p',
  '80',
  '--health-tcp',
  '--timeout',
  '60s',
  '--',
  'httpd',
  '-f',
  '-p',
  '80',
  '-h',
  '/www',
]

/** Ten containers, spread evenly by the engines' own word. */
export const runTen = async (cluster: LabCluster): Promise<void> => {
  const done = await cluster.lab.host(2).tutti(WEB)
  assert.is(done.code, 0, done.stderr)
  const owners = cluster.owners()
  assert.is(owners.size, POD_COUNT, JSON.stringify([...owners]))
  const perHost = cluster.lab.hosts.map(host => host.runningPods().length)
  assert.ok(Math.max(...perHost) - Math.min(...perHost) <= 1, `spread unevenly: ${perHost.join(' ')}`)
}

export const killRounds = async (
  cluster: LabCluster,
  rounds: number,
  dice: Prng,
): Promise<readonly KillRound[]> => {
  const writes = new Writes(cluster)
  const results: KillRound[] = []
  for (let round = 0; round < rounds; round++) {
    const on = cluster.lab.hosts.filter(host => host.isOn())
    const leader = await cluster.leader(on[0] as Host)
    // Every third victim is the leader, so that a short run meets it too.
    const victim = round % 3 === 1 ? leader : dice.pick(on)
    const wasSilent = dice.chance(0.5)
    const witness = dice.pick(on.filter(host => host !== victim))
    const podCount = victim.runningPods().length
    victim.kill({ silent: wasSilent })
    const healthyMs = await cluster.healthy('web', POD_COUNT, witness, 30_000)
    results.push({ victim: victim.name, wasLeader: victim === leader, wasSilent, podCount, healthyMs })
    await writes.write(witness)
    await victim.revive()
    victim.startNode([])
    await cluster.memberIsKnown(victim, witness)
    await writes.areAllKnownTo(victim)
    await noSlotHasTwoOwners(cluster, SETTLED_AFTER_RETURN_MS)
  }
  return results
}

/** Acknowledged writes: workloads of count 0, which cost nothing and must never disappear. */
class Writes {
  readonly #cluster: LabCluster
  readonly #acknowledged: string[] = []
  #number = 0

  constructor(cluster: LabCluster) {
    this.#cluster = cluster
  }

  async write(host: Host): Promise<void> {
    const name = `mark-${++this.#number}`
    const done = await host.tutti([
      'run',
      '--name',
      name,
      '--count',
      '0',
      '--image',
      'busybox:latest',
      '--detach',
      '--timeout',
      '10s',
    ])
    assert.is(done.code, 0, `a write on ${host.name} after a death: ${done.stderr}`)
    this.#acknowledged.push(name)
  }

  async areAllKnownTo(host: Host): Promise<void> {
    let missing: readonly string[] = []
    await until(
      `${host.name} to know every acknowledged write`,
      15_000,
      async () => {
        const known = await this.#cluster.workloadNames(host)
        missing = this.#acknowledged.filter(name => !known.includes(name))
        return missing.length === 0 ? true : null
      },
      () => `missing: ${missing.join(' ')}`,
      200,
    )
  }
}

/** By the engines: each pod name runs once, and all of them run. */
export const noSlotHasTwoOwners = async (cluster: LabCluster, withinMs: number): Promise<void> => {
  await until(
    'each slot to have one owner',
    withinMs,
    () => {
      const owners = [...cluster.owners()].filter(([name]) => name.startsWith('web.'))
      return owners.length === POD_COUNT && owners.every(([, hosts]) => hosts.length === 1) ? true : null
    },
    () => [...cluster.owners()].map(([name, hosts]) => `${name}@${hosts.join('+')}`).join(' '),
    200,
  )
}
