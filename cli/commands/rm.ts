/** `tutti rm`: removes workloads with their pods, or (node/NAME) a dead node from the roster. */
import type { Command } from '../command.ts'
import { YES_OPTION } from '../confirm.ts'
import { removeNode } from '../remove-node.ts'
import { report, type Written } from '../report.ts'

export const command: Command = {
  arguments: [
    { name: 'target', description: 'a workload, or node/NAME', count: 'many', completes: 'workload' },
  ],
  options: [YES_OPTION],
  examples: ['tutti rm web', 'tutti rm node/ash'],
  async run(call, session) {
    const written: Written[] = []
    for (const name of call.args) {
      const isNode = name.startsWith('node/')
      const result = isNode ? await removeNode(name, call, session) : await session.client.remove(name)
      written.push({ name, result })
    }
    await report(written, session)
    return 0
  },
}
