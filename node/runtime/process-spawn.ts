/** Starts one command in a session of its own, below a supervisor of a few shell lines that outlives the node. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join, resolve } from 'node:path'
import { Failure } from '../errors.ts'
import { portVariables } from './port-variables.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'
import type { ContainerRun } from './runtime.ts'

/** The only variables of the node's own environment that a process may see. */
export type HostEnvironment = {
  readonly PATH?: string | undefined
  readonly HOME?: string | undefined
  readonly LANG?: string | undefined
  readonly TZ?: string | undefined
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * It says who it is before anything runs, so that no crash of the node leaves a process that nobody knows. Its
 * handlers keep it alive while the group is asked to end, and are not inherited by the command. Last it writes the
 * exit code and takes along whatever the command left behind in the group.
 */
const SUPERVISOR = `
read -r stat < /proc/$$/stat && printf '%s\\n' "$stat" > started || exit 125
trap : HUP INT QUIT TERM
( cd work && exec "$@" 2>&3 3>&- )
code=$?
printf '%s\\n' "$code" > exit
kill -KILL 0
`

/** From the least to the most specific: the host, the ports, the node's own words, the workload's. */
export const environmentOf = (run: ContainerRun, host: HostEnvironment): Record<string, string> => {
  const inherited: Record<string, string> = { PATH: host.PATH ?? DEFAULT_PATH }
  if (host.HOME !== undefined) inherited.HOME = host.HOME
  if (host.LANG !== undefined) inherited.LANG = host.LANG
  if (host.TZ !== undefined) inherited.TZ = host.TZ
  return {
    ...inherited,
    ...portVariables(run.ports, port => port.host),
    HOST: run.address,
    TUTTI_ADDRESS: run.address,
    ...run.env,
    ...run.spec.env,
  }
}

/** The file that will be executed. Throws E_COMMAND_INVALID or, for an image, E_IMAGE_MISSING. */
export const resolveCommand = (run: ContainerRun, environment: Readonly<Record<string, string>>): string => {
  const { image, command } = run.spec
  if (image !== null)
    throw new Failure('E_IMAGE_MISSING', {
      message: `The image ${image} cannot run here.`,
      why: 'this node runs commands on the host (process runtime), not images',
      try: 'start the node where a container engine is, or give a command: tutti run --name NAME -- CMD',
    })
  const program = command[0]
  if (program === undefined || program === '')
    throw new Failure('E_COMMAND_INVALID', {
      message: `The container ${run.spec.name} has no command.`,
      try: 'tutti run --name NAME -- CMD',
    })
  if (program.includes('/')) return asExecutable(resolve('/', program), program)
  const folders = (environment.PATH ?? DEFAULT_PATH).split(delimiter).filter(folder => folder !== '')
  const found = folders.map(folder => join(folder, program)).find(isExecutable)
  if (found !== undefined) return found
  throw new Failure('E_COMMAND_INVALID', {
    message: `The command ${program} is not found.`,
    why: `no executable of that name in ${folders.join(', ')}`,
    try: 'give the full path of the command',
  })
}

const asExecutable = (path: string, asked: string): string => {
  if (isExecutable(path)) return path
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined
  throw new Failure('E_COMMAND_INVALID', {
    message: `The command ${asked} cannot be run.`,
    why: isThere ? `${path} is not an executable file` : `${path} does not exist`,
  })
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Throws E_PORT_IN_USE when somebody else listens on one of the ports, which the process could only stumble over. */
export const assertPortsFree = async (run: ContainerRun): Promise<void> => {
  for (const port of run.ports) if (port.protocol === 'tcp') await assertPortFree(run.address, port.host)
}

const assertPortFree = (host: string, port: number): Promise<void> =>
  new Promise((done, refused) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return done()
      const text = {
        message: `Port ${port} on ${host} is in use.`,
        why: 'another program of this machine listens there',
      }
      refused(new Failure('E_PORT_IN_USE', text, { facts: { port, host }, cause: error }))
    })
    server.listen({ host, port, exclusive: true }, () => server.close(() => done()))
  })

/** The supervisor of a new run, in `folder`, where the record is already. It never keeps the node alive. */
export const spawnSupervised = (
  folder: string,
  program: string,
  options: { readonly args: readonly string[]; readonly environment: Readonly<Record<string, string>> },
): { readonly child: ChildProcess; readonly identity: ProcessIdentity } => {
  const out = openSync(join(folder, 'stdout.log'), 'a', 0o600)
  const err = openSync(join(folder, 'stderr.log'), 'a', 0o600)
  try {
    const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'tutti', program, ...options.args], {
      cwd: folder,
      env: options.environment,
      // A session of its own: the terminal's Ctrl-C reaches the node and not this.
      detached: true,
      stdio: ['ignore', out, 'ignore', err],
    })
    child.on('error', () => undefined)
    child.unref()
    const identity = child.pid === undefined ? null : identify(child.pid)
    if (identity === null)
      throw new Failure('E_RUNTIME_UNAVAILABLE', 'This machine cannot start a process now.')
    return { child, identity }
  } finally {
    closeSync(out)
    closeSync(err)
  }
}
