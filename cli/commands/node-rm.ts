/** `tutti node rm`: the same as `tutti rm node/NAME`. */
import type { Command } from '../command.ts'
import { report, type Written } from '../report.ts'
import { nodeName } from '../target.ts'

export const command: Command = {
  arguments: [{ name: 'node', description: 'which', count: 'many', completes: 'node' }],
  options: [],
  examples: ['tutti node rm ash'],
  async run(call, session) {
    const written: Written[] = []
    for (const name of call.args)
      written.push({ name, result: await session.client.removeNode(nodeName(name)) })
    await report(written, session)
    return 0
  },
}
