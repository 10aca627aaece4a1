/** `tutti members`: what gossip believes about the nodes, as seen by the node that answers. */
import type { MemberView } from '../../node/api/native/schema.ts'
import type { Command } from '../command.ts'
import { print } from '../list.ts'
import type { Column } from '../output/table.ts'

const columns: readonly Column<MemberView>[] = [
  { title: 'NODE', cell: member => member.name },
  { title: 'STATE', cell: member => member.state, as: 'state' },
  { title: 'CONNECTED', cell: member => (member.isConnected ? 'yes' : 'no') },
  { title: 'INCARNATION', cell: member => member.incarnation },
  { title: 'ID', cell: member => member.id, isWide: true },
  { title: 'ADDRESSES', cell: member => member.addresses.join(', '), as: 'text' },
]

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti members'],
  async run(_call, session) {
    const items = await session.client.members()
    await print({ items, columns, name: member => member.name, empty: 'no members' }, session)
    return 0
  },
}
