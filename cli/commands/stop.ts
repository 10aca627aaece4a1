/** `tutti stop`: stops all pods of workloads and keeps what they asked for. */
import type { Command } from '../command.ts'
import { report, type Written } from '../report.ts'

export const command: Command = {
  arguments: [{ name: 'workload', description: 'which', count: 'many', completes: 'workload' }],
  options: [],
  examples: ['tutti stop web', 'tutti restart web     (starts it again)'],
  async run(call, session) {
    const written: Written[] = []
    for (const name of call.args) written.push({ name, result: await session.client.stop(name) })
    await report(written, session)
    return 0
  },
}
