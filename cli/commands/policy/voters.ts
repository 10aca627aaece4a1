/** `tutti voters`: how many nodes vote at most. Which ones do is the cluster's own choice. */
import type { Command } from '../../command.ts'
import { report } from '../../report.ts'
import { usage } from '../../usage.ts'

export const command: Command = {
  arguments: [{ name: 'count', description: '3, 5 or 7', count: 'one' }],
  options: [],
  examples: [
    'tutti voters 7     (bears the loss of three at once; each write waits for four disks)',
    'tutti voters 5',
  ],
  async run(call, session) {
    const [count = ''] = call.args
    if (!/^\d{1,2}$/.test(count)) throw usage(`"${count}" is no number of voters`, { try: 'tutti voters 5' })
    await report([{ name: 'voters', result: await session.client.setVoters(Number(count)) }], session)
    return 0
  },
}
