/** Every node program dies at once and comes back, while containers run on or addresses change. */
import * as assert from 'uvu/assert'
import { until } from '../../harness/run-command.ts'
import type { LabCluster } from '../cluster.ts'
import { NETWORK } from '../lab.ts'

/** Container ids by pod name, by the engines' own word. */
const containers = (cluster: LabCluster): Map<string, string> => {
  const rows = cluster.lab.hosts.flatMap(host =>
    host
      .docker(
        'ps',
        '--no-trunc',
        '--filter',
        'label=tutti.pod',
        '--format',
        '{{.Label "tutti.pod-name"}} {{.ID}} {{.Label "tutti.pod"}}',
      )
      .split('\n')
      .filter(line => line !== ''),
  )
  return new Map(rows.map(row => [row.split(' ')[0] as string, row]))
}

const formsAgain = async (cluster: LabCluster): Promise<void> => {
  for (const host of cluster.lab.hosts) {
    let seen = ''
    await until(
      `${host.name} to see all nodes alive under a leader`,
      40_000,
      async () => {
        const [status, nodes] = [await cluster.status(host), await cluster.nodes(host)]
        seen = JSON.stringify({
          status,
          nodes: nodes.map(node => `${node.name} ${node.state} ${node.address}`),
        })
        return status?.hasQuorum === true &&
          nodes.length === cluster.lab.hosts.length &&
          nodes.every(node => node.state === 'alive')
          ? true
          : null
      },
      () => `${seen}\n${host.nodeLog()}`,
      200,
    )
  }
}

/** kill -9 of all nodes; the containers stay. Afterwards: the same state, the same containers, none restarted. */
export const allNodesDie = async (cluster: LabCluster): Promise<void> => {
  const before = containers(cluster)
  const workloads = await cluster.workloadNames(cluster.lab.host(1))
  assert.ok(before.size > 0, 'there is something to keep')
  for (const host of cluster.lab.hosts) host.signalNode('SIGKILL')
  for (const host of cluster.lab.hosts) await host.nodeIsGone()
  assert.equal(containers(cluster), before, 'containers outlive their nodes')
  for (const host of cluster.lab.hosts) host.startNode([])
  await formsAgain(cluster)
  assert.equal(await cluster.workloadNames(cluster.lab.host(1)), workloads)
  await cluster.healthy('web', 10, cluster.lab.host(1), 20_000)
  assert.equal(containers(cluster), before, 'every container was adopted')
  assert.ok(
    (await cluster.pods(cluster.lab.host(1))).every(pod => pod.restarts === 0),
    'none was restarted',
  )
}

/** All nodes stop, all addresses change, all start: they find each other without being told. */
export const allAddressesChange = async (cluster: LabCluster): Promise<void> => {
  for (const host of cluster.lab.hosts) host.signalNode('SIGKILL')
  for (const host of cluster.lab.hosts) await host.nodeIsGone()
  for (const host of cluster.lab.hosts) host.setAddress(`${NETWORK}.${100 + host.number}`)
  for (const host of cluster.lab.hosts) host.startNode([])
  await formsAgain(cluster)
  const wanted = cluster.lab.hosts.map(host => host.address).sort()
  let seen: readonly string[] = []
  await until(
    'the roster to have the new addresses',
    20_000,
    async () => {
      seen = (await cluster.nodes(cluster.lab.host(1))).map(node => node.address).sort()
      return seen.join() === wanted.join() ? true : null
    },
    () => seen.join(' '),
    200,
  )
}
