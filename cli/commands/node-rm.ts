/** `tutti node rm`: the same as `tutti rm node/NAME`, and the way to throw out a node that runs. */
import type { Command } from '../command.ts'
import { report, type Written } from '../report.ts'
import { nodeName } from '../target.ts'

export const command: Command = {
  arguments: [{ name: 'node', description: 'which', count: 'many', completes: 'node' }],
  options: [
    {
      flags: '--force',
      description: 'also one that runs: it is cut off at once, and its work is started elsewhere',
    },
  ],
  examples: ['tutti node rm ash', 'tutti node rm --force ash'],
  async run(call, session) {
    const written: Written[] = []
    const force = call.flags.is('force')
    for (const name of call.args)
      written.push({ name, result: await session.client.removeNode(nodeName(name), { force }) })
    await report(written, session)
    return 0
  },
}
