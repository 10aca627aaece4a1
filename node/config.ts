/** Flags become one frozen, checked configuration; nobody else reads the environment or guesses defaults. */
import { hostname } from 'node:os'
import { isLoopback } from './api/socket.ts'
import { Failure } from './errors.ts'
import type { LogLevel } from './log.ts'
import { defaultDataDirectory } from './paths.ts'
import { advertisedAddresses, type HostPort, hostPortOf } from './transport/host-port.ts'

/** What `tutti start` was told; null where nothing was said. */
export type StartOptions = {
  /** `HOST:PORT` of members to join through; empty: start a new cluster, or resume the one in the data directory. */
  readonly join: readonly string[]
  /** The join token itself, already read from its file. */
  readonly token: string | null
  readonly name: string | null
  readonly dataDirectory: string | null
  /** `HOST:PORT` for peers. */
  readonly listen: string | null
  /** `HOST:PORT` for the HTTP API; null: the default; `off`: the unix socket only. */
  readonly api: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly runtime: 'auto' | 'docker' | 'process'
  readonly dockerSocket: string | null
  readonly logLevel: LogLevel
  readonly logFile: string | null
  /**
   * The `HOST`s that others reach this node under, best first, when they differ from the listen address; its pods are
   * published on the first.
   */
  readonly advertise: readonly string[]
}

export type NodeConfig = {
  readonly join: readonly string[]
  readonly token: string | null
  readonly name: string
  /** False when the name is a default that may get a suffix to be unique. */
  readonly isNameChosen: boolean
  readonly dataDirectory: string
  readonly listen: HostPort
  readonly api: HostPort | null
  /** The IP address that pods' ports are published on and peers dial first. */
  readonly address: string
  /** All hosts that peers may dial, best first; `address` leads them. */
  readonly addresses: readonly string[]
  /** All members are on this machine: a loopback address cannot be reached from another one. */
  readonly isOneMachine: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly runtime: 'auto' | 'docker' | 'process'
  readonly dockerSocket: string | null
  readonly logLevel: LogLevel
  readonly logFile: string | null
  /** Dynamic host ports; below Linux's own ephemeral range, so that outgoing connections do not take them. */
  readonly portRange: readonly [number, number]
}

export const PEER_PORT_DEFAULT = 7701
export const API_PORT_DEFAULT = 7700
const PORT_RANGE_DEFAULT: readonly [number, number] = [20_000, 29_999]
const LABELS_MAX = 64
/** As many as a beacon tells. */
const ADVERTISED_MAX = 4

const NAME = /^[a-z][a-z0-9-]{0,62}$/
const LABEL_KEY = /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/
const LABEL_VALUE = /^[\w.:/+-]{0,63}$/

/** Throws Failure E_INVALID that names the flag, why it is wrong and what to write instead. */
export const resolveConfig = (options: StartOptions): NodeConfig => {
  const listen = parseHostPort(options.listen ?? `0.0.0.0:${PEER_PORT_DEFAULT}`, '--listen')
  const api =
    options.api === 'off' ? null : parseHostPort(options.api ?? `127.0.0.1:${API_PORT_DEFAULT}`, '--api')
  for (const seed of options.join) parseHostPort(seed, '--join')
  if (options.join.length > 0 && options.token === null) throw tokenMissing(options.join[0] as string)
  if (options.name !== null && !NAME.test(options.name)) throw badName(options.name)
  checkLabels(options.labels)
  const addresses = hostsOf(options.advertise, listen)
  const address = addresses[0] as string
  return Object.freeze({
    join: options.join,
    token: options.token,
    name: options.name ?? nameOfMachine(),
    isNameChosen: options.name !== null,
    dataDirectory: options.dataDirectory ?? defaultDataDirectory(process.env, process.getuid?.() === 0),
    listen,
    api,
    address,
    addresses,
    isOneMachine: isLoopback(address),
    labels: options.labels,
    runtime: options.runtime,
    dockerSocket: options.dockerSocket,
    logLevel: options.logLevel,
    logFile: options.logFile,
    portRange: PORT_RANGE_DEFAULT,
  })
}

/** What was said, else what the machine has. */
const hostsOf = (advertise: readonly string[], listen: HostPort): readonly string[] => {
  if (advertise.length > ADVERTISED_MAX)
    throw new Failure('E_INVALID', {
      message: `--advertise was said ${advertise.length} times`,
      why: `others try the addresses of a node one after the other, so there are at most ${ADVERTISED_MAX}`,
      try: 'name the addresses that the other machines reach',
    })
  const said =
    advertise.length > 0 ? advertise : advertisedAddresses(listen).map(text => hostPortOf(text).host)
  return [...new Set(said)].slice(0, ADVERTISED_MAX)
}

/** `HOST:PORT` or `[V6]:PORT`; a port from 0 (any free one) to 65535. */
export const parseHostPort = (text: string, flag: string): HostPort => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new Failure('E_INVALID', {
      message: `${flag} ${text} is not an address`,
      why: 'it must be HOST:PORT with a port from 0 to 65535',
      try: `${flag} 10.0.0.11:${flag === '--api' ? API_PORT_DEFAULT : PEER_PORT_DEFAULT}`,
    })
  }
  return { host: (match[1] ?? match[2]) as string, port }
}

const checkLabels = (labels: Readonly<Record<string, string>>): void => {
  const entries = Object.entries(labels)
  if (entries.length > LABELS_MAX) throw new Failure('E_INVALID', `a node has at most ${LABELS_MAX} labels`)
  const wrong = entries.find(
    ([key, value]) => !LABEL_KEY.test(key) || key.startsWith('node.') || !LABEL_VALUE.test(value),
  )
  if (wrong === undefined) return
  throw new Failure('E_INVALID', {
    message: `--label ${wrong[0]}=${wrong[1]} is not a label`,
    why: 'keys are 1 to 63 letters, digits, `.`, `_`, `/`, `-` and do not start with `node.`; values have up to 63 such characters',
    try: '--label zone=eu',
  })
}

const tokenMissing = (seed: string): Failure =>
  new Failure('E_AUTH', {
    message: `joining through ${seed} needs a join token`,
    why: 'a cluster lets nobody in without one',
    try: 'on any member: tutti token create    then: TUTTI_TOKEN=file:/run/token tutti start --join …',
  })

const badName = (name: string): Failure =>
  new Failure('E_INVALID', {
    message: `--name ${name} is not a node name`,
    why: 'a name is a lower-case letter followed by up to 62 lower-case letters, digits or dashes',
    try: '--name ash',
  })

export const nameOfMachine = (): string => {
  const plain =
    hostname()
      .toLowerCase()
      .split('.')[0]
      ?.replace(/[^a-z0-9-]/g, '-') ?? ''
  return NAME.test(plain) ? plain : `node-${plain}`.slice(0, 63).replace(/-+$/, '')
}
