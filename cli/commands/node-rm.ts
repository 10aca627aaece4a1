/** `tutti node rm`: the same as `tutti rm node/NAME`. */
import type { Command } from '../command.ts'
import { YES_OPTION } from '../confirm.ts'
import { removeNode } from '../remove-node.ts'
import { report, type Written } from '../report.ts'

export const command: Command = {
  arguments: [{ name: 'node', description: 'which', count: 'many', completes: 'node' }],
  options: [YES_OPTION],
  examples: ['tutti node rm ash'],
  async run(call, session) {
    const written: Written[] = []
    for (const name of call.args) written.push({ name, result: await removeNode(name, call, session) })
    await report(written, session)
    return 0
  },
}
