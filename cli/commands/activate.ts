/** `tutti activate`: drained nodes may take work again. */
import type { Command } from '../command.ts'
import { report, type Written } from '../report.ts'
import { nodeName } from '../target.ts'

export const command: Command = {
  arguments: [{ name: 'node', description: 'which', count: 'many', completes: 'node' }],
  options: [],
  examples: ['tutti activate ash'],
  async run(call, session) {
    const written: Written[] = []
    for (const name of call.args.map(nodeName))
      written.push({ name, result: await session.client.activate(name) })
    await report(written, session)
    return 0
  },
}
