/** `tutti rm`: removes workloads with their pods, or (node/NAME) a dead node from the roster. */
import type { Command } from '../command.ts'
import { report, type Written } from '../report.ts'
import { nodeName } from '../target.ts'

export const command: Command = {
  arguments: [
    { name: 'target', description: 'a workload, or node/NAME', count: 'many', completes: 'workload' },
  ],
  options: [],
  examples: ['tutti rm web', 'tutti rm node/ash'],
  async run(call, session) {
    const written: Written[] = []
    for (const name of call.args) {
      const { client } = session
      const isNode = name.startsWith('node/')
      const result = await (isNode
        ? client.removeNode(nodeName(name), { force: false })
        : client.remove(name))
      written.push({ name, result })
    }
    await report(written, session)
    return 0
  },
}
