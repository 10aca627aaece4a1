/** Our nodes, as `tutti start` starts them. Their log at the usual level tells what gossip thinks of each member. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '../../../cli/client.ts'
import { socketPath } from '../../../node/paths.ts'
import { until } from '../../harness/run-command.ts'
import type { Agent, Launch } from './agent.ts'
import type { News, Program } from './program.ts'

const LAUNCHER = fileURLToPath(new URL('../../../cli/bin.mjs', import.meta.url))
const PEER_PORT = 7701
const TOKEN_USES = 100
const ANSWER_MS_MAX = 5_000
const FOUNDED_WITHIN_MS = 30_000

const IDENTITY = /^\s*identity (\S+)/
const VIEWS = { 'member-alive': 'alive', 'member-dead': 'dead' } as const

export const tuttiProgram = (): Program => {
  let token: string | null = null
  return {
    name: 'Tutti',
    joinersMax: 1,
    found: agent => launch(agent, []),
    async join(agent, seed) {
      token ??= await createToken(seed)
      return launch(agent, ['--join', `${seed.address}:${PEER_PORT}`], { TUTTI_TOKEN: token })
    },
    resume: agent => launch(agent, []),
    news: newsOf,
    decree: diesByDecree,
  }
}

const launch = (
  agent: Agent,
  more: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Launch => ({
  words: [
    process.execPath,
    LAUNCHER,
    'start',
    ...['--name', agent.name, '--data', dataOf(agent), '--runtime', 'process', '--log-level', 'info'],
    ...more,
  ],
  env,
})

const dataOf = (agent: Agent): string => join(agent.directory, 'data')

export const newsOf = (line: string): News | null => {
  const identity = IDENTITY.exec(line)?.[1]
  if (identity !== undefined) return { type: 'self', id: identity }
  if (!line.startsWith('{')) return null
  const { msg, member } = JSON.parse(line) as { msg?: string; member?: string }
  if (member === undefined || !isView(msg)) return null
  return { type: 'view', about: member, state: VIEWS[msg] }
}

const isView = (word: string | undefined): word is keyof typeof VIEWS =>
  word !== undefined && Object.hasOwn(VIEWS, word)

const clientOf = (agent: Agent, signal: AbortSignal): Client => {
  const target = { addresses: [`unix:${socketPath(dataOf(agent))}`], token: null }
  return new Client({ target, node: null, signal })
}

const createToken = async (founder: Agent): Promise<string> => {
  const client = (): Client => clientOf(founder, AbortSignal.timeout(ANSWER_MS_MAX))
  await until(
    'the first node to lead',
    FOUNDED_WITHIN_MS,
    async () =>
      (
        await client()
          .status()
          .catch(() => null)
      )?.hasQuorum === true
        ? true
        : null,
    () => founder.lastWords,
  )
  return (await client().createToken({ kind: 'join', uses: TOKEN_USES })).token
}

/** When `witness` has applied the verdict that the leader wrote. */
const diesByDecree = async (about: Agent, witness: Agent, signal: AbortSignal): Promise<number> => {
  const client = clientOf(witness, signal)
  const { index } = await client.status()
  for await (const { subject, verb } of client.events({ from: index + 1, follow: true }))
    if (subject === `node/${about.name}` && verb === 'dead') return performance.now()
  throw new Error(`${witness.name} tells no more events`)
}
