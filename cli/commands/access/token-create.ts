/** `tutti token create`: a token and the line that uses it. Its secret is shown this one time. */
import type { TokenCreated } from '../../../node/api/native/schema-access.ts'
import type { Grant } from '../../../scheduler/index.ts'
import type { Command, Flags, Session } from '../../command.ts'
import { print } from '../../list.ts'
import { escapeLine } from '../../output/escape.ts'
import { span } from '../../output/time.ts'
import { usage } from '../../usage.ts'

const usesOf = (flags: Flags): number | null | undefined => {
  const text = flags.text('uses')
  if (text === null) return undefined
  return text === 'any' ? null : (flags.whole('uses', 1) ?? undefined)
}

const show = async (created: TokenCreated, kind: 'join' | 'api', session: Session): Promise<void> => {
  const token = escapeLine(created.token)
  if (session.format === 'name') {
    await session.terminal.write(`${token}\n`)
    return
  }
  if (session.format !== 'table' && session.format !== 'wide') {
    await print({ items: [created], columns: [], name: each => each.id, empty: '' }, session)
    return
  }
  const left = Date.parse(created.expiresAt) - Date.now()
  const valid = Number.isNaN(left) ? '' : ` (valid for ${span(left)})`
  if (kind === 'join') {
    session.terminal.note(`Add a node${valid}:\n`)
    await session.terminal.write(
      `  TUTTI_TOKEN=${token} tutti start --join ${escapeLine(created.joinAddress)}\n`,
    )
  } else {
    session.terminal.note(
      `API token ${escapeLine(created.id)}${valid}, for tutti login, or as TUTTI_TOKEN:\n`,
    )
    await session.terminal.write(`${token}\n`)
  }
}

const PERMISSIONS = ['exec', 'copy', 'secrets', 'chaos', 'host-mounts'] as const satisfies readonly Grant[]

export const command: Command = {
  arguments: [],
  options: [
    {
      flags: '--kind <kind>',
      description: 'join admits a node, api opens the API off the socket',
      choices: ['join', 'api'],
    },
    {
      flags: '--role <role>',
      description: 'make an api token that may do so much',
      choices: ['viewer', 'operator', 'admin'],
    },
    { flags: '--name <name>', description: 'what to call it in lists and in the audit trail' },
    { flags: '--namespace <name>', description: 'bind an api token to a namespace' },
    {
      flags: '--allow <permission>',
      description: 'give an operator one more permission',
      choices: PERMISSIONS,
      isRepeatable: true,
    },
    { flags: '--uses <count>', description: 'how often it can be used, or any' },
    { flags: '--ttl <duration>', description: 'how long it is valid: 1h, 7d' },
    { flags: '--label <pair>', description: 'KEY=VALUE for nodes that join with it', isRepeatable: true },
  ],
  examples: [
    'tutti token create --uses 5 --ttl 24h --label zone=eu',
    'tutti token create --role viewer --ttl 8h --name ci',
    'tutti token create --role operator --namespace prod --allow exec --name deploy',
    'tutti token create -q > /run/token',
  ],
  async run({ flags }, session) {
    const namespace = flags.text('namespace')
    const grants = flags.list('allow') as readonly Grant[]
    const isApi = flags.text('role') !== null || namespace !== null || grants.length > 0
    const kind = flags.text('kind') ?? (isApi ? 'api' : 'join')
    if (kind === 'join' && isApi)
      throw usage('--role, --namespace and --allow belong to api tokens', {
        why: 'a join token admits a node and opens nothing',
        try: 'tutti token create --role viewer',
      })
    const name = flags.text('name')
    const role = flags.text('role') as 'viewer' | 'operator' | 'admin' | null
    const uses = usesOf(flags)
    const ttlMs = flags.duration('ttl')
    const labels = flags.pairs('label')
    const created = await session.client.createToken({
      kind: kind === 'api' ? 'api' : 'join',
      ...(name === null ? {} : { name }),
      ...(namespace === null ? {} : { namespace }),
      ...(grants.length === 0 ? {} : { grants }),
      ...(role === null ? {} : { role }),
      ...(uses === undefined ? {} : { uses }),
      ...(ttlMs === null ? {} : { ttlMs }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    })
    await show(created, kind === 'api' ? 'api' : 'join', session)
    return 0
  },
}
