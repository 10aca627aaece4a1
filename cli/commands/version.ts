/** `tutti version`: of this program, and of the node when one answers. */
import type { Command } from '../command.ts'
import { print } from '../list.ts'

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti version'],
  timeoutMs: 3000,
  async run(_call, session) {
    const client = session.settings.version
    const node = await session.client.version().then(
      answer => answer.version,
      () => null,
    )
    const columns = [
      { title: 'TUTTI', cell: () => client },
      { title: 'NODE', cell: () => node ?? 'not reachable' },
      { title: 'NODE.JS', cell: () => process.version },
    ]
    const item = { version: client, node, nodejs: process.version }
    await print({ items: [item], columns, name: () => client, empty: '' }, session)
    return 0
  },
}
