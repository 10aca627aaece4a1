/** `tutti run`: a workload from flags. The node checks it as strictly as a workload file. */
import type { Call, Command, Flags, OptionSpec } from '../command.ts'
import { DEPLOY_TIMEOUT_MS, DETACH_OPTION, report, reportAndWait } from '../report.ts'
import { usage } from '../usage.ts'

const options: readonly OptionSpec[] = [
  { flags: '--name <name>', description: 'what to call it (needed)' },
  { flags: '--count <number>', description: 'how many pods; 1 when not said' },
  { flags: '--kind <kind>', description: 'what kind of work', choices: ['service', 'global', 'batch'] },
  { flags: '--image <image>', description: 'the image, if not said as a word' },
  { flags: '-p, --publish <port>', description: 'HOST:CONTAINER or CONTAINER', isRepeatable: true },
  { flags: '-e, --env <pair>', description: 'KEY=VALUE', isRepeatable: true },
  { flags: '--label <pair>', description: 'KEY=VALUE on its pods', isRepeatable: true },
  { flags: '--health-http <path>', description: 'healthy when GET PATH answers 2xx or 3xx' },
  { flags: '--health-tcp', description: 'healthy when its port takes a connection' },
  { flags: '--health-cmd <command>', description: 'healthy when the command ends with 0' },
  { flags: '--health-interval <duration>', description: 'time between checks' },
  { flags: '--health-timeout <duration>', description: 'time that a check may take' },
  { flags: '--health-start-period <duration>', description: 'time in which failures do not count' },
  { flags: '--health-threshold <number>', description: 'failures in a row that make it unhealthy' },
  { flags: '--cpu <cores>', description: 'reserve cores: 0.5, 500m' },
  { flags: '--memory <bytes>', description: 'reserve memory: 128M, 1G' },
  {
    flags: '--constraint <condition>',
    description: "only nodes with 'zone==eu', 'disk in ssd,nvme', …",
    isRepeatable: true,
  },
  { flags: '--spread <label>', description: 'spread over the values of a label', isRepeatable: true },
  {
    flags: '--strategy <strategy>',
    description: 'how to choose nodes',
    choices: ['spread', 'binpack', 'random'],
  },
  { flags: '--max-per-node <number>', description: 'at most so many pods on one node' },
  { flags: '--restart <policy>', description: 'when to restart', choices: ['always', 'on-failure', 'never'] },
  { flags: '--check-index <index>', description: 'refuse when it changed since (0: when it exists)' },
  { flags: '--dry-run', description: 'say what would change, and change nothing' },
  DETACH_OPTION,
]

/** A copy without the fields that were not said. */
const said = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined))

const orNull = <T extends object>(value: T): T | null => (Object.keys(value).length === 0 ? null : value)

const healthOf = (flags: Flags): Record<string, unknown> | null =>
  orNull(
    said({
      http: flags.text('healthHttp'),
      tcp: flags.is('healthTcp') ? true : null,
      exec: flags.text('healthCmd'),
      interval: flags.text('healthInterval'),
      timeout: flags.text('healthTimeout'),
      startPeriod: flags.text('healthStartPeriod'),
      threshold: flags.whole('healthThreshold', 1),
    }),
  )

/** The workload as it would stand in a file; defaults stay unsaid. Throws E_USAGE. */
export const workloadOf = (call: Call): Record<string, unknown> & { readonly name: string } => {
  const { flags, args, rest } = call
  const image = flags.text('image') ?? args[0] ?? null
  if (flags.text('image') !== null && args.length > 0)
    throw usage(`the image is said twice: "${flags.text('image')}" and "${args[0]}"`)
  if (image === null && (rest === null || rest.length === 0)) {
    throw usage('there is nothing to run', {
      why: 'run needs an image, or a command after --',
      try: 'tutti run --name web --count 3 nginx:1.27    or: tutti run --name web -- ./server',
    })
  }
  const name = flags.text('name')
  if (name === null) throw usage('run needs a name', { try: `tutti run --name web ${image ?? '-- …'}` })
  const ports = flags.list('publish')
  const container = said({
    image,
    command: rest,
    ports: ports.length === 0 ? null : ports,
    env: orNull(flags.pairs('env')),
    resources: orNull(said({ cpu: flags.text('cpu'), memory: flags.text('memory') })),
    health: healthOf(flags),
  })
  const place = said({
    strategy: flags.text('strategy'),
    constraints: orNull(flags.list('constraint')),
    spread: orNull(flags.list('spread')),
    maxPerNode: flags.whole('maxPerNode', 1),
  })
  return {
    name,
    ...said({
      kind: flags.text('kind'),
      count: flags.whole('count'),
      pod: { ...said({ labels: orNull(flags.pairs('label')) }), containers: [container] },
      place: orNull(place),
      restart: flags.text('restart'),
    }),
  }
}

export const command: Command = {
  arguments: [
    {
      name: 'image',
      description: 'the image to run; without one, the command after -- runs on the host',
      count: 'optional',
    },
  ],
  options,
  takesCommand: true,
  timeoutMs: DEPLOY_TIMEOUT_MS,
  examples: [
    'tutti run --name web --count 3 -p 8080:80 --health-http / nginx:1.27',
    'tutti run --name hello --count 6 -- python3 -m http.server $PORT',
    "tutti run --name db --constraint 'disk==ssd' --memory 512M -e POSTGRES_PASSWORD=x postgres:17",
  ],
  async run(call, session) {
    const spec = workloadOf(call)
    const checkIndex = call.flags.whole('checkIndex')
    const isDryRun = call.flags.is('dryRun')
    const result = await session.client.apply({
      spec,
      ...(checkIndex === null ? {} : { checkIndex }),
      ...(isDryRun ? { dryRun: true } : {}),
    })
    const written = [{ name: spec.name, result }]
    if (!isDryRun) return reportAndWait(written, call, session)
    await report(written, session)
    return 0
  },
}
