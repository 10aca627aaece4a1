/** `tutti start`: becomes a node, and stays one until Ctrl-C. Containers run on when it stops. */
import { setTimeout as pause } from 'node:timers/promises'
import type { StartOptions } from '../../node/config.ts'
import { Failure } from '../../node/errors.ts'
import type { RunningNode } from '../../node/main.ts'
import type { Client } from '../client.ts'
import { clientFor } from '../client-for.ts'
import type { Call, Command, Session } from '../command.ts'
import { joinTokenOf } from '../join-token.ts'
import { escapeLine } from '../output/escape.ts'
import type { Style } from '../output/style.ts'
import { usage } from '../usage.ts'

const FIRST_TOKEN_USES = 2
const ADVICE_MS = 5000
const SETTLE_POLL_MS = 100
const LEADERLESS = ' ! no leader answers yet; what runs goes on. Look closer: tutti doctor'
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const optionsOf = async (call: Call, session: Session): Promise<StartOptions> => {
  const { flags } = call
  const join = flags.list('join')
  const token = await joinTokenOf(call, session)
  if (flags.text('token') !== null && join.length === 0) {
    throw usage('--token belongs to --join', { try: 'tutti start --join HOST:PORT --token …' })
  }
  return {
    join,
    token: join.length === 0 ? null : token,
    name: flags.text('name'),
    dataDirectory: flags.text('data'),
    listen: flags.text('listen'),
    api: flags.text('api'),
    labels: flags.pairs('label'),
    runtime: (flags.text('runtime') ?? 'auto') as StartOptions['runtime'],
    dockerSocket: flags.text('dockerSocket'),
    logLevel: (flags.text('logLevel') ?? 'warn') as StartOptions['logLevel'],
    logFile: flags.text('logFile'),
    advertise: flags.list('advertise'),
  }
}

const WORDS = { founded: 'new cluster', joined: 'joined', resumed: 'back in' } as const

/** Who this node is, as lines for people. */
const introduction = (node: RunningNode, style: Style): readonly string[] => {
  const api = node.apiUrl === null ? '' : ` · api ${node.apiUrl}`
  const name = style.paint('bold', escapeLine(node.name))
  return [
    ` ${style.done} ${WORDS[node.origin]} "${escapeLine(node.clusterName)}" · node ${name}${api} · peer ${node.peerAddress}`,
    `   identity ${escapeLine(node.id)} · runtime ${node.runtime} · data ${escapeLine(node.dataDirectory)}`,
    ...(node.runtime === 'process'
      ? ['   the process runtime is no sandbox: commands run on this machine as this user']
      : []),
  ]
}

/** The status once this node follows a leader: before that it knows too little to warn of anything. */
const settled = async (client: Client): ReturnType<Client['status']> => {
  for (;;) {
    const status = await client.status()
    if (status.hasQuorum) return status
    await pause(SETTLE_POLL_MS)
  }
}

/** What to do next: a paste-ready join line for a new cluster, a warning for one that no failure may meet. */
const advice = async (node: RunningNode, client: Client): Promise<readonly string[]> => {
  if (node.origin === 'founded') {
    const { clusterKey } = await client.whoami()
    const { joinAddress, token } = await client.createToken({ kind: 'join', uses: FIRST_TOKEN_USES })
    return [
      '',
      ` Add a node (valid for 1 hour, ${FIRST_TOKEN_USES} uses):`,
      `   TUTTI_TOKEN=${escapeLine(token)} tutti start --join ${escapeLine(joinAddress)}`,
      ' More: tutti token create --uses 5 --ttl 24h',
      ...(node.apiUrl?.startsWith('https:') === true
        ? [
            '',
            ` From elsewhere, with a token of tutti token create --role operator (cluster key ${escapeLine(clusterKey)}):`,
            `   tutti login ${node.apiUrl}`,
          ]
        : []),
    ]
  }
  const { voters, toleratesCount, nodes } = await settled(client)
  const voting = voters.length === 1 ? '1 voter' : `${voters.length} voters`
  const size = `${nodes.alive} of ${nodes.total} nodes alive, ${voting}`
  return [toleratesCount === 0 ? ` ! ${size}: not one may fail; add a node` : `   ${size}`]
}

export const command: Command = {
  arguments: [],
  options: [
    { flags: '--join <address>', description: 'HOST:PORT of any member', isRepeatable: true },
    {
      flags: '--token <token>',
      description: 'the join token, file:PATH, or - for standard input (or TUTTI_TOKEN)',
    },
    { flags: '--name <name>', description: 'its name; the machine’s when not said' },
    { flags: '--data <directory>', description: 'where it keeps its identity, log and socket' },
    { flags: '--listen <address>', description: 'HOST:PORT for peers; 0.0.0.0:7701 when not said' },
    { flags: '--api <address>', description: 'HOST:PORT for the API, or off; 127.0.0.1:7700 when not said' },
    {
      flags: '--advertise <host>',
      description: 'an address that others reach it under, best first; the machine’s when not said',
      isRepeatable: true,
    },
    { flags: '--label <pair>', description: 'KEY=VALUE for constraints and spreading', isRepeatable: true },
    {
      flags: '--runtime <runtime>',
      description: 'what runs its pods',
      choices: ['auto', 'docker', 'process'],
    },
    { flags: '--docker-socket <path>', description: 'the socket of its container engine' },
    { flags: '--log-level <level>', description: 'how much it logs', choices: LOG_LEVELS },
    { flags: '--log-file <path>', description: 'where it logs; standard error when not said' },
  ],
  examples: [
    'tutti start',
    'tutti start --join 10.0.0.11:7701 --token file:/run/token --label zone=eu',
    'TUTTI_TOKEN=file:/run/token tutti start --join 10.0.0.11:7701',
  ],
  isEndless: () => true,
  async run(call, session) {
    const options = await optionsOf(call, session)
    const { startNode } = await import('../../node/main.ts')
    const interrupted = new Promise<'interrupted'>(resolve => {
      if (session.signal.aborted) resolve('interrupted')
      session.signal.addEventListener('abort', () => resolve('interrupted'), { once: true })
    })
    const node = await Promise.race([interrupted, startNode(options)])
    // It waits for others, perhaps for long. The end of the process is as good to it as a crash: it may start again.
    if (node === 'interrupted') throw session.signal.reason
    const settings = { ...session.settings, connect: [`unix:${node.socketPath}`] }
    const signal = AbortSignal.any([session.signal, AbortSignal.timeout(ADVICE_MS)])
    const client = clientFor(settings, { node: null, signal })
    await session.terminal.write(`${introduction(node, session.style).join('\n')}\n`)
    // The node runs; a cluster that cannot answer yet (no quorum) is no reason to end it.
    const lines = await advice(node, client).catch(() => [LEADERLESS])
    const last = ' Ctrl-C stops the node; its containers run on'
    await session.terminal.write(`${[...lines, last].join('\n')}\n`)
    const end = await Promise.race([interrupted, node.ended])
    await node.stop()
    if (end !== null && end !== 'interrupted') {
      throw new Failure('E_INTERNAL', {
        message: `the node stopped: ${end}`,
        try: 'look into its log, then start it again',
      })
    }
    session.terminal.note(end === null ? 'left the cluster\n' : 'stopped; containers run on\n')
    return 0
  },
}
