/** `tutti drain`: nodes take nothing new and what they run moves away. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Command, Session } from '../command.ts'
import { DEPLOY_TIMEOUT_MS, DETACH_OPTION, report, type Written } from '../report.ts'
import { nodeName } from '../target.ts'

const POLL_MS = 250

const untilEmpty = async (names: readonly string[], session: Session): Promise<void> => {
  let shown = ''
  for (;;) {
    const nodes = (await session.client.nodes()).filter(node => names.includes(node.name))
    const left = nodes.filter(node => node.pods > 0)
    if (left.length === 0) return
    const text = left
      .map(node => `${node.name}: ${node.pods} ${node.pods === 1 ? 'pod' : 'pods'} left`)
      .join(', ')
    if (text !== shown) session.terminal.note(`${session.errorStyle.state('draining')} ${text}\n`)
    shown = text
    await pause(POLL_MS, undefined, { signal: session.signal })
  }
}

export const command: Command = {
  arguments: [{ name: 'node', description: 'which', count: 'many', completes: 'node' }],
  options: [DETACH_OPTION],
  examples: ['tutti drain ash', 'tutti activate ash     (gives it work again)'],
  timeoutMs: DEPLOY_TIMEOUT_MS,
  async run(call, session) {
    const names = call.args.map(nodeName)
    const written: Written[] = []
    for (const name of names) written.push({ name, result: await session.client.drain(name) })
    await report(written, session)
    if (call.flags.is('detach')) return 0
    await untilEmpty(names, session)
    session.terminal.note(`${session.errorStyle.done} ${names.join(', ')} empty\n`)
    return 0
  },
}
