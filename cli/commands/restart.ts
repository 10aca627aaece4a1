/** `tutti restart`: starts stopped workloads, and replaces all pods of running ones, as their update policy says. */
import type { Command } from '../command.ts'
import { DEPLOY_TIMEOUT_MS, DETACH_OPTION, reportAndWait, type Written } from '../report.ts'

export const command: Command = {
  arguments: [{ name: 'workload', description: 'which', count: 'many', completes: 'workload' }],
  options: [DETACH_OPTION],
  examples: ['tutti restart web'],
  timeoutMs: DEPLOY_TIMEOUT_MS,
  async run(call, session) {
    const written: Written[] = []
    for (const name of call.args) written.push({ name, result: await session.client.restart(name) })
    return reportAndWait(written, call, session)
  },
}
