/** What a container looks like to the engine: name, labels, limits, network; and back to the contract's words. Pure. */
import type { ContainerCreateOptions, ContainerInfo, ContainerInspectInfo } from 'dockerode'
import type { PodPort } from '../../scheduler/index.ts'
import { portVariables } from './port-variables.ts'
import type { ContainerKey, ContainerRun, ContainerState } from './runtime.ts'

const LABEL = {
  cluster: 'tutti.cluster',
  node: 'tutti.node',
  pod: 'tutti.pod',
  podName: 'tutti.pod-name',
  container: 'tutti.container',
  /** JSON: where the container listens, by port name. */
  ports: 'tutti.ports',
} as const

const POD_ID_CHARACTERS = 8
const PIDS_MAX = 4_096
const LOG_OPTIONS = { 'max-size': '10m', 'max-file': '2' }
const NANOCPUS_PER_MILLI = 1_000_000
/** The engine refuses less memory than this. */
const MEMORY_BYTES_MIN = 6 * 1_024 * 1_024

/** What this engine can enforce; a kernel without a cgroup controller makes it refuse limits. */
export type EngineAbilities = {
  readonly limitsCpu: boolean
  readonly limitsMemory: boolean
  readonly limitsPids: boolean
}

export const ownerFilter = (owner: { readonly cluster: string; readonly node: string }): string[] => [
  `${LABEL.cluster}=${owner.cluster}`,
  `${LABEL.node}=${owner.node}`,
]

export const podFilter = (key: ContainerKey): string[] => [...ownerFilter(key), `${LABEL.pod}=${key.pod}`]

export const keyFilter = (key: ContainerKey): string[] => [
  ...podFilter(key),
  `${LABEL.container}=${key.container}`,
]

/** Null for a container that is not ours. */
export const keyOfLabels = (labels: Readonly<Record<string, string>>): ContainerKey | null => {
  const { [LABEL.cluster]: cluster, [LABEL.node]: node, [LABEL.pod]: pod } = labels
  const { [LABEL.podName]: podName, [LABEL.container]: container } = labels
  const isWhole = cluster && node && pod && podName && container
  return isWhole ? { cluster, node, pod, podName, container } : null
}

/** `tutti-web.2-3f9a01bc`, and the container's own name behind it for all but the pod's first. */
export const nameOf = ({ key, pod }: ContainerRun): string => {
  const suffix = key.container === pod.firstContainer ? '' : `-${key.container}`
  return `tutti-${key.podName}-${key.pod.slice(0, POD_ID_CHARACTERS)}${suffix}`.replace(
    /[^a-zA-Z0-9_.-]/g,
    '-',
  )
}

/** Where the container listens: a port declared as 0 is told by PORT, and is the same inside and outside. */
const innerPort = (port: PodPort): number => (port.container === 0 ? port.host : port.container)

/** `sharedWith`: id of the pod's first container, for all but that one. */
export const createOptions = (
  run: ContainerRun,
  abilities: EngineAbilities,
  sharedWith: string | null,
): ContainerCreateOptions => {
  const { key, spec } = run
  const variables = {
    ...portVariables(run.ports, innerPort),
    TUTTI_ADDRESS: run.address,
    ...run.env,
    ...spec.env,
  }
  return {
    Image: spec.image ?? '',
    ...(spec.command.length > 0 ? { Cmd: [...spec.command] } : {}),
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [LABEL.cluster]: key.cluster,
      [LABEL.node]: key.node,
      [LABEL.pod]: key.pod,
      [LABEL.podName]: key.podName,
      [LABEL.container]: key.container,
      [LABEL.ports]: JSON.stringify(Object.fromEntries(run.ports.map(port => [port.name, innerPort(port)]))),
    },
    ...(sharedWith === null ? { ExposedPorts: exposedPorts(run.pod.ports) } : {}),
    HostConfig: {
      ...(sharedWith === null
        ? { PortBindings: portBindings(run.pod.ports, run.address) }
        : { NetworkMode: `container:${sharedWith}` }),
      ...limits(run, abilities),
      Init: true,
      SecurityOpt: ['no-new-privileges'],
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: LOG_OPTIONS },
    },
  }
}

const limits = ({ spec: { resources } }: ContainerRun, abilities: EngineAbilities) => {
  const memory = Math.max(MEMORY_BYTES_MIN, resources.memoryBytes)
  return {
    ...(abilities.limitsPids ? { PidsLimit: PIDS_MAX } : {}),
    ...(abilities.limitsCpu && resources.cpuMillis > 0
      ? { NanoCpus: resources.cpuMillis * NANOCPUS_PER_MILLI }
      : {}),
    ...(abilities.limitsMemory && resources.memoryBytes > 0 ? { Memory: memory, MemorySwap: memory } : {}),
  }
}

const portKey = (port: PodPort): string => `${innerPort(port)}/${port.protocol}`

const exposedPorts = (ports: readonly PodPort[]): Record<string, object> =>
  Object.fromEntries(ports.map(port => [portKey(port), {}]))

const portBindings = (ports: readonly PodPort[], address: string) => {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const port of ports) {
    const list = bindings[portKey(port)] ?? []
    bindings[portKey(port)] = [...list, { HostIp: address, HostPort: String(port.host) }]
  }
  return bindings
}

const SHARED_PREFIX = 'container:'

/** The address of each listed container; one that shares a network has that of its first. */
export const addressIn = (listed: readonly ContainerInfo[], info: ContainerInfo): string => {
  const mode = info.HostConfig?.NetworkMode ?? ''
  const holder = mode.startsWith(SHARED_PREFIX)
    ? listed.find(other => other.Id === mode.slice(SHARED_PREFIX.length))
    : info
  const networks = Object.values(holder?.NetworkSettings?.Networks ?? {})
  return networks.find(network => network.IPAddress !== '')?.IPAddress ?? ''
}

export const isLive = (info: ContainerInfo): boolean =>
  info.State === 'running' || info.State === 'paused' || info.State === 'restarting'

export const runningState = (key: ContainerKey, info: ContainerInfo, address: string): ContainerState => ({
  key,
  runtimeId: info.Id,
  state: 'running',
  exitCode: null,
  outOfMemory: false,
  startedAtMs: info.Created * 1_000,
  probe: { address, ports: portsOf(info.Labels) },
})

const KILLED = 128 + 9

/** `isStarved`: the engine told of a lack of memory beside what it says of the container. */
export const exitedState = (
  key: ContainerKey,
  inspected: ContainerInspectInfo,
  isStarved: boolean,
): ContainerState => ({
  key,
  runtimeId: inspected.Id,
  state: 'exited',
  exitCode: inspected.State.ExitCode,
  outOfMemory: inspected.State.OOMKilled || (isStarved && inspected.State.ExitCode === KILLED),
  startedAtMs: Math.max(0, Date.parse(inspected.State.StartedAt) || 0),
  probe: { address: '', ports: portsOf(inspected.Config.Labels) },
})

/** Killed, with a limit to its memory, and the engine does not know (yet) that memory was why. */
export const mayBeStarved = ({ State, HostConfig }: ContainerInspectInfo): boolean =>
  !State.Running && State.ExitCode === KILLED && !State.OOMKilled && (HostConfig.Memory ?? 0) > 0

const portsOf = (labels: Readonly<Record<string, string>>): Record<string, number> => {
  try {
    const parsed: unknown = JSON.parse(labels[LABEL.ports] ?? '{}')
    const entries = Object.entries(parsed as Record<string, unknown>)
    return Object.fromEntries(
      entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    )
  } catch {
    return {}
  }
}
