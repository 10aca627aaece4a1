/** `tutti login`: proves that a node belongs to the token's cluster, then keeps both as a context. */
import { parseToken } from '../../../node/membership/token.ts'
import { clientFor } from '../../client-for.ts'
import type { Call, Command, Session } from '../../command.ts'
import { readSecret } from '../../context.ts'
import { CONTEXT_NAME, type Context, contextsPath, readContexts, writeContexts } from '../../contexts.ts'
import { type Address, isLoopback, parseAddress } from '../../http.ts'
import { escapeLine } from '../../output/escape.ts'
import { usage } from '../../usage.ts'

const TOKEN_BYTES_MAX = 4096

const tokenOf = async ({ flags }: Call, session: Session): Promise<string> => {
  const said = flags.text('token') ?? session.settings.token
  if (said !== null && said !== '-') return readSecret(said)
  const isAsked = said === null && session.terminal.isInputTTY
  const text = isAsked
    ? await session.terminal.ask('token (not shown): ', session.signal, { isHidden: true })
    : await session.terminal.readAll(TOKEN_BYTES_MAX)
  if (text !== null && text.trim() !== '') return text.trim()
  throw usage('there is no token', {
    why: 'it is read from --token file:PATH, TUTTI_TOKEN, standard input, or asked for on a terminal',
    try: 'on a node: tutti token create --role operator --name me',
  })
}

const remoteOf = (text: string): Exclude<Address, { type: 'unix' }> => {
  // What is typed without a scheme is meant to be safe.
  const address = parseAddress(/^[a-z+]+:\/\/|^unix:|^\//.test(text) ? text : `https://${text}`)
  if (address.type === 'unix')
    throw usage('a unix socket needs no login', {
      why: 'whoever may open it is the local admin',
      try: `tutti status --connect ${text}`,
    })
  if (address.type === 'http' && !isLoopback(address.host))
    throw usage(`${text} would carry the token in the clear`, {
      why: 'only loopback addresses are spoken to without TLS',
      try: `tutti login https://${address.host}:${address.port}`,
    })
  return address
}

const shown = ({ type, host, port }: Exclude<Address, { type: 'unix' }>): string =>
  `${type}://${host.includes(':') ? `[${host}]` : host}:${port}`

/** The authority of the cluster that the token pins; the user may insist on a certain one. */
const authorityOf = async (
  address: Exclude<Address, { type: 'unix' }>,
  token: string,
  { call, session }: { readonly call: Call; readonly session: Session },
): Promise<string | null> => {
  const { pin } = parseToken(token)
  const expected = call.flags.text('fingerprint')
  if (expected !== null && expected !== pin)
    throw usage(`the token belongs to the cluster ${pin}, not to ${expected}`, {
      why: 'a token pins the key of its cluster, and nothing else is trusted',
      try: 'take a token of that cluster: tutti token create --role viewer',
    })
  if (address.type === 'http') return null
  const { fetchAuthority } = await import('../../trust.ts')
  return fetchAuthority(address, pin, session.signal)
}

export const command: Command = {
  arguments: [{ name: 'address', description: 'https://HOST:PORT of a node', count: 'one' }],
  options: [
    { flags: '--token <token>', description: 'file:PATH, or - for standard input (or TUTTI_TOKEN)' },
    { flags: '--name <name>', description: 'what to call the context; the cluster’s name when not said' },
    { flags: '--fingerprint <key>', description: 'insist on this cluster key, as tutti start shows it' },
  ],
  examples: [
    'tutti login https://10.0.0.11:7700',
    'tutti login https://10.0.0.11:7700 --token file:/run/token --name prod',
  ],
  async run(call, session) {
    const address = remoteOf(call.args[0] ?? '')
    const wanted = call.flags.text('name')
    if (wanted !== null && !CONTEXT_NAME.test(wanted))
      throw usage(`${wanted} is not a name for a context`, {
        why: 'letters, digits, dots, dashes and underscores',
      })
    const token = await tokenOf(call, session)
    const authority = await authorityOf(address, token, { call, session })
    const settings = { ...session.settings, connect: [shown(address)], token, authority }
    const who = await clientFor(settings, { node: null, signal: session.signal }).whoami()
    const name = wanted ?? who.cluster
    const path = contextsPath(session.settings.environment)
    const before = readContexts(path)
    const context: Context = { name, addresses: [shown(address)], token, authority, cluster: who.cluster }
    const others = before.contexts.filter(other => other.name !== name)
    writeContexts(path, { current: name, contexts: [...others, context] })
    const where = who.namespace === null ? '' : ` in namespace ${who.namespace}`
    session.terminal.note(
      `${session.errorStyle.done} logged in to "${escapeLine(who.cluster)}" as ${who.role}${escapeLine(where)} · context ${escapeLine(name)} is in use\n`,
    )
    return 0
  },
}
