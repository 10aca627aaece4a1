/** A Tutti cluster on the hosts of a lab, driven through its CLI as a user would. */

import { until } from '../harness/run-command.ts'
import type { Host } from './host.ts'
import { Lab } from './lab.ts'

export type PodRow = {
  readonly id: string | null
  readonly name: string
  readonly node: string | null
  readonly state: string
  readonly health: string
  readonly restarts: number
  readonly reason: string | null
  readonly containers: readonly { readonly runtimeId: string | null }[]
}
export type NodeRow = {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly role: string
  readonly address: string
}
export type StatusRow = {
  readonly clusterId: string
  readonly leader: string | null
  readonly term: number
  readonly index: number
  readonly hasQuorum: boolean
  readonly voters: readonly string[]
}

const PEER_PORT = 7701

export class LabCluster {
  readonly lab: Lab
  /** Join token with enough uses for a whole test. */
  token = ''

  private constructor(lab: Lab) {
    this.lab = lab
  }

  /** Opens a lab with `count` hosts, founds a cluster on the first and joins the others through it, one by one. */
  static async found(count: number): Promise<LabCluster> {
    const lab = await Lab.open()
    try {
      const cluster = new LabCluster(lab)
      const [first, ...others] = await lab.add(count)
      await cluster.#foundOn(first as Host)
      for (const host of others) await cluster.join(host, first as Host)
      return cluster
    } catch (thrown) {
      await lab.close()
      throw thrown
    }
  }

  async join(host: Host, seed: Host): Promise<void> {
    host.startNode(['--join', `${seed.address}:${PEER_PORT}`], { TUTTI_TOKEN: this.token })
    await this.memberIsKnown(host, seed)
  }

  /** The node of `host` answers and `witness` lists it as alive. */
  async memberIsKnown(host: Host, witness: Host): Promise<void> {
    await until(
      `${host.name} to be a member`,
      30_000,
      async () =>
        (await this.nodes(witness)).some(node => node.name === host.name && node.state === 'alive') &&
        (await this.status(host)) !== null
          ? true
          : null,
      () => `${host.name} says: ${host.nodeLog()}`,
      200,
    )
  }

  async nodes(host: Host): Promise<readonly NodeRow[]> {
    return (await this.#items<NodeRow>(host, ['nodes'])) ?? []
  }

  async pods(host: Host): Promise<readonly PodRow[]> {
    return (await this.#items<PodRow>(host, ['ps'])) ?? []
  }

  /** Null while the node does not answer. */
  async status(host: Host): Promise<StatusRow | null> {
    const items = await this.#items<StatusRow>(host, ['status'])
    return items?.[0] ?? null
  }

  /** The host that leads, as the others see it. */
  async leader(witness: Host): Promise<Host> {
    return until(`a leader that ${witness.name} knows`, 15_000, async () => {
      const status = await this.status(witness)
      if (status === null || !status.hasQuorum) return null
      return this.lab.hosts.find(host => host.name === status.leader) ?? null
    })
  }

  async workloadNames(host: Host): Promise<readonly string[]> {
    const items = await this.#items<{ readonly name: string }>(host, ['jobs'])
    return (items ?? []).map(item => item.name).sort()
  }

  /** Milliseconds until `count` healthy pods of the workload run on hosts that are on. */
  healthy(workload: string, count: number, witness: Host, timeoutMs: number): Promise<number> {
    const on = this.lab.hosts.filter(host => host.isOn())
    return this.healthyOn(workload, count, on, witness, timeoutMs)
  }

  /** The same, on these hosts only. */
  async healthyOn(
    workload: string,
    count: number,
    hosts: readonly Host[],
    witness: Host,
    timeoutMs: number,
  ): Promise<number> {
    const startedMs = performance.now()
    const names = new Set(hosts.map(host => host.name))
    let seen = ''
    await until(
      `${count} healthy pods of ${workload}`,
      timeoutMs,
      async () => {
        const pods = (await this.pods(witness)).filter(pod => pod.name.startsWith(`${workload}.`))
        seen = pods
          .map(pod => `${pod.name}@${pod.node} ${pod.state}/${pod.health} ${pod.reason ?? ''}`)
          .join('; ')
        const healthy = pods.filter(
          pod =>
            pod.state === 'running' && ['healthy', 'none'].includes(pod.health) && names.has(pod.node ?? ''),
        )
        return new Set(healthy.map(pod => pod.name)).size === count ? true : null
      },
      () => `${seen}\n${witness.nodeLog()}`,
      100,
    )
    return performance.now() - startedMs
  }

  /** Pod names with the hosts whose engines run them, by the engines' own word. */
  owners(): Map<string, string[]> {
    const owners = new Map<string, string[]>()
    for (const host of this.lab.hosts)
      for (const pod of host.runningPods()) owners.set(pod, [...(owners.get(pod) ?? []), host.name])
    return owners
  }

  close(): Promise<void> {
    return this.lab.close()
  }

  async #foundOn(first: Host): Promise<void> {
    first.startNode([])
    await until(
      'the first node to lead',
      20_000,
      async () => {
        const status = await this.status(first)
        return status?.hasQuorum === true && status.clusterId !== '' ? true : null
      },
      () => first.nodeLog(),
      200,
    )
    const created = await first.tutti(['token', 'create', '--uses', '50', '--ttl', '2h', '-o', 'json'])
    if (created.code !== 0) throw new Error(`no token: ${created.stderr}`)
    const found = /tutti1_[A-Za-z0-9_]+/.exec(created.stdout)
    if (found === null) throw new Error(`no token in ${created.stdout}`)
    this.token = found[0]
  }

  async #items<Row>(host: Host, args: readonly string[]): Promise<readonly Row[] | null> {
    const done = await host.tutti([...args, '-o', 'json', '--timeout', '3s'])
    if (done.code !== 0) return null
    return (JSON.parse(done.stdout) as { readonly items: readonly Row[] }).items
  }
}
