/** `tutti context ls`: the clusters that were logged in to, without their tokens. */
import type { Command } from '../../command.ts'
import { contextsPath, readContexts } from '../../contexts.ts'
import { print } from '../../list.ts'
import type { Column } from '../../output/table.ts'

type Row = {
  readonly name: string
  readonly isCurrent: boolean
  readonly cluster: string
  readonly addresses: readonly string[]
  readonly token: string
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', cell: row => row.name },
  { title: 'IN USE', cell: row => (row.isCurrent ? 'yes' : null) },
  { title: 'CLUSTER', cell: row => row.cluster },
  { title: 'ADDRESS', cell: row => row.addresses.join(', ') },
  { title: 'TOKEN', cell: row => row.token },
]

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti context ls'],
  async run(_call, session) {
    const { environment, context } = session.settings
    const { contexts } = readContexts(contextsPath(environment))
    const items = contexts.map(({ name, cluster, addresses, token }) => ({
      name,
      isCurrent: name === context,
      cluster,
      addresses,
      token: token.split('_')[1] ?? '',
    }))
    const empty = 'no contexts: local sockets are used. Make one: tutti login https://HOST:7700'
    await print({ items, columns, name: row => row.name, empty }, session)
    return 0
  },
}
