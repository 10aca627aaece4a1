/** `tutti token revoke`: makes tokens worthless at once. */
import type { Command } from '../../command.ts'
import { report, type Written } from '../../report.ts'

export const command: Command = {
  arguments: [
    { name: 'id', description: 'the token’s id, as token ls shows it', count: 'many', completes: 'token' },
  ],
  options: [],
  examples: ['tutti token revoke b7k'],
  async run(call, session) {
    const written: Written[] = []
    for (const id of call.args) written.push({ name: id, result: await session.client.revokeToken(id) })
    await report(written, session)
    return 0
  },
}
