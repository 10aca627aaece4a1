/** `tutti token ls`: tokens without their secrets, which no node keeps. */
import type { TokenView } from '../../../node/api/native/schema-access.ts'
import type { Command } from '../../command.ts'
import { print } from '../../list.ts'
import type { Column } from '../../output/table.ts'

const columns: readonly Column<TokenView>[] = [
  { title: 'ID', cell: token => token.id },
  { title: 'KIND', cell: token => token.kind },
  { title: 'STATE', cell: token => token.state, as: 'state' },
  { title: 'USES LEFT', cell: token => token.usesLeft ?? 'any' },
  { title: 'NAME', cell: token => token.name },
  { title: 'ROLE', cell: token => (token.kind === 'api' ? token.role : null) },
  { title: 'NAMESPACE', cell: token => token.namespace },
  { title: 'ALLOWED', cell: token => token.grants.join(', ') || null },
  { title: 'EXPIRES', cell: token => token.expiresAt },
]

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti token ls'],
  async run(_call, session) {
    const items = await session.client.tokens()
    await print(
      { items, columns, name: token => token.id, empty: 'no tokens. Make one: tutti token create' },
      session,
    )
    return 0
  },
}
