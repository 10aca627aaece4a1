/** `tutti members`: what gossip believes about the nodes, what each counts for in the quorum and why, and how many may be lost. */
import type { MemberView, StatusView } from '../../node/api/native/schema.ts'
import type { Command, Session } from '../command.ts'
import { print } from '../list.ts'
import type { Column } from '../output/table.ts'

/** In a large cluster most pairs have none until they need one. */
const connection = ({ isConnected, isMissing }: MemberView): string => {
  if (isConnected) return 'yes'
  return isMissing === false ? 'when needed' : 'no'
}

const columns: readonly Column<MemberView>[] = [
  { title: 'NODE', cell: member => member.name },
  { title: 'STATE', cell: member => member.state, as: 'state' },
  { title: 'CONNECTED', cell: connection },
  { title: 'VOTE', cell: member => member.vote },
  { title: 'WHY', cell: member => member.seat, as: 'text' },
  { title: 'DISK', cell: member => (member.diskMs === null ? null : `${member.diskMs}ms`) },
  { title: 'INCARNATION', cell: member => member.incarnation, isWide: true },
  { title: 'ID', cell: member => member.id, isWide: true },
  { title: 'ADDRESSES', cell: member => member.addresses.join(', '), as: 'text' },
]

/** The leader alone knows why; where it cannot be asked, the list is as good without. */
const withReasons = async (
  items: readonly MemberView[],
  { leader, node }: StatusView,
  { client }: Session,
): Promise<readonly MemberView[]> => {
  if (leader === null || leader === node) return items
  const told = await client
    .with({ node: leader })
    .members()
    .catch(() => [])
  const seats = new Map(told.map(member => [member.id, member.seat]))
  return items.map(member => ({ ...member, seat: seats.get(member.id) ?? null }))
}

const outlook = ({ voters, hasQuorum, toleratesCount }: StatusView): string => {
  const majority = Math.floor(voters.length / 2) + 1
  const count = `${voters.length} ${voters.length === 1 ? 'node votes' : 'nodes vote'}, ${majority} must agree`
  if (!hasQuorum) return `${count}: they do not, and nothing can be decided`
  return `${count}: you can lose ${toleratesCount === 0 ? 'none of them' : `${toleratesCount} more at once`}`
}

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti members'],
  async run(_call, session) {
    const status = await session.client.status()
    const items = await withReasons(await session.client.members(), status, session)
    await print({ items, columns, name: member => member.name, empty: 'no members' }, session)
    if (session.format === 'table' || session.format === 'wide') session.terminal.note(`${outlook(status)}\n`)
    return 0
  },
}
