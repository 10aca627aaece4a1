/** A Tutti cluster on the hosts of a lab, changed through its CLI as a user would. */

import { Client } from '../../cli/client.ts'
import type { DigestView, NodeView, PodView, RaftView, StatusView } from '../../node/api/native/schema.ts'
import { socketPath } from '../../node/paths.ts'
import { until } from '../harness/run-command.ts'
import type { Host } from './host.ts'
import { Lab, type LabOptions } from './lab.ts'

const PEER_PORT = 7701
const READ_TIMEOUT_MS = 3_000

export class LabCluster {
  readonly lab: Lab
  /** Join token with enough uses for a whole test. */
  token = ''

  private constructor(lab: Lab) {
    this.lab = lab
  }

  /** Opens a lab with `count` hosts, founds a cluster on the first and joins the others through it, one by one. */
  static async found(count: number, options?: LabOptions): Promise<LabCluster> {
    const lab = await Lab.open(options)
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

  async nodes(host: Host): Promise<readonly NodeView[]> {
    return (await this.#read(host, client => client.nodes())) ?? []
  }

  async pods(host: Host): Promise<readonly PodView[]> {
    return (await this.#read(host, client => client.pods())) ?? []
  }

  /** Null while the node does not answer. */
  async status(host: Host): Promise<StatusView | null> {
    return this.#read(host, client => client.status())
  }

  /** Null while the node does not answer. */
  async raft(host: Host): Promise<RaftView | null> {
    return (await this.#read(host, client => client.raft()))?.[0] ?? null
  }

  /** Null while the node does not answer. */
  async digest(host: Host): Promise<DigestView | null> {
    return this.#read(host, client => client.digest())
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
    const workloads = await this.#read(host, client => client.workloads())
    return (workloads ?? []).map(item => item.name).sort()
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

  /** Reads go straight to the node's socket, so that looking often costs little; null when it does not answer. */
  async #read<Rows>(host: Host, read: (client: Client) => Promise<Rows>): Promise<Rows | null> {
    const target = { addresses: [`unix:${socketPath(host.dataDirectory)}`], token: null }
    const client = new Client({ target, node: null, signal: AbortSignal.timeout(READ_TIMEOUT_MS) })
    return read(client).catch(() => null)
  }
}
