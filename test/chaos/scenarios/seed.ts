/** The first node, through which everybody joined, dies: nobody needs it. */
import { until } from '../../harness/run-command.ts'
import type { LabCluster } from '../cluster.ts'
import type { Host } from '../host.ts'

/** kill -9 of the first; the others see each other; a further host joins through one of them. Afterwards the first is back. */
export const seedDies = async (cluster: LabCluster): Promise<void> => {
  const [first, ...others] = [...cluster.lab.hosts] as [Host, ...Host[]]
  first.signalNode('SIGKILL')
  for (const host of others) {
    await until(
      `${host.name} to see the survivors alive and the first dead`,
      20_000,
      async () => {
        const nodes = await cluster.nodes(host)
        const alive = nodes.filter(node => node.state === 'alive').map(node => node.name)
        return others.every(other => alive.includes(other.name)) && !alive.includes(first.name) ? true : null
      },
      () => host.nodeLog(),
      200,
    )
  }
  const [sixth] = (await cluster.lab.add(1)) as [Host]
  const seed = others.at(-1) as Host
  await cluster.join(sixth, seed)
  await until('the newcomer to see everybody', 20_000, async () =>
    (await cluster.nodes(sixth)).length === cluster.lab.hosts.length ? true : null,
  )
  await first.nodeIsGone()
  first.startNode([])
  await cluster.memberIsKnown(first, seed)
}
