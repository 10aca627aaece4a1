/** `tutti leave`: the node that answers moves its work away, says farewell and ends. */
import type { Command } from '../command.ts'
import { confirm, YES_OPTION } from '../confirm.ts'
import { DEPLOY_TIMEOUT_MS, report } from '../report.ts'

export const command: Command = {
  arguments: [],
  options: [YES_OPTION],
  examples: ['tutti leave', 'TUTTI_CONNECT=unix:/var/lib/tutti/tutti.sock tutti leave --yes'],
  timeoutMs: DEPLOY_TIMEOUT_MS,
  async run(call, session) {
    const status = await session.client.status()
    const isNeeded = status.voters.includes(status.node) && status.toleratesCount === 0
    if (status.nodes.alive > 1 && (!status.hasQuorum || isNeeded)) {
      const text = `${status.node} is a voter and the cluster tolerates no further failure`
      await confirm({ name: status.node, text }, call, session)
    }
    await report([{ name: status.node, result: await session.client.leave() }], session)
    return 0
  },
}
