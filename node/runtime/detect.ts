/** Which runtime this machine offers: an engine where one answers, else processes; and what it can carry. */
import { request } from 'node:http'
import { join } from 'node:path'
import type { Capacity, RuntimeKind } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { unavailable } from './docker-client.ts'
import type { HostEnvironment } from './process-spawn.ts'
import type { Runtime } from './runtime.ts'

export type DetectOptions = {
  readonly wanted: 'auto' | 'docker' | 'process'
  /** Null: the usual places are tried, best first. */
  readonly dockerSocket: string | null
  readonly environment: HostEnvironment & {
    readonly DOCKER_HOST?: string | undefined
    readonly XDG_RUNTIME_DIR?: string | undefined
  }
  /** The node's data directory. */
  readonly directory: string
  readonly clock: Clock
  readonly log: Log
}

/** A runtime that was found but not opened: what a node says about itself before it knows its cluster. */
export type DetectedRuntime = {
  readonly kind: RuntimeKind
  /** For people: `docker at /var/run/docker.sock`. */
  readonly description: string
  readonly capacity: Capacity
  open(owner: { readonly cluster: string; readonly node: string }): Promise<Runtime>
}

const PING_DEADLINE_MS = 2_000

/** Throws E_RUNTIME_UNAVAILABLE when docker is demanded, or its socket named, and no engine answers there. */
export const detectRuntime = async (options: DetectOptions): Promise<DetectedRuntime> => {
  if (options.wanted === 'process') return processRuntime(options)
  const sockets = candidateSockets(options)
  const answers = await Promise.all(sockets.map(pingSocket))
  const found = sockets.find((_, position) => answers[position] === null)
  if (found !== undefined) return dockerRuntime(found, options)
  if (options.wanted === 'auto' && options.dockerSocket === null) return processRuntime(options)
  throw unavailable(sockets[0] ?? '', answers[0] ?? 'no socket was named')
}

const candidateSockets = ({ dockerSocket, environment }: DetectOptions): string[] => {
  if (dockerSocket !== null) return [dockerSocket]
  const host = environment.DOCKER_HOST
  return [
    ...(host?.startsWith('unix://') ? [host.slice('unix://'.length)] : []),
    '/var/run/docker.sock',
    ...(environment.HOME === undefined ? [] : [join(environment.HOME, '.docker', 'run', 'docker.sock')]),
    '/run/podman/podman.sock',
    ...(environment.XDG_RUNTIME_DIR === undefined
      ? []
      : [
          join(environment.XDG_RUNTIME_DIR, 'docker.sock'),
          join(environment.XDG_RUNTIME_DIR, 'podman', 'podman.sock'),
        ]),
  ]
}

/** Null when an engine answers there, else why not. Needs no library, so that a machine without an engine loads none. */
const pingSocket = (socketPath: string): Promise<string | null> =>
  new Promise(resolve => {
    const signal = AbortSignal.timeout(PING_DEADLINE_MS)
    const outgoing = request({ socketPath, path: '/_ping', agent: false, signal }, response => {
      response.resume()
      resolve(response.statusCode === 200 ? null : `it answered a ping with status ${response.statusCode}`)
    })
    outgoing.on('error', error =>
      resolve(signal.aborted ? `no answer within ${PING_DEADLINE_MS} ms` : messageOf(error)),
    )
    outgoing.end()
  })

const dockerRuntime = async (socket: string, { clock }: DetectOptions): Promise<DetectedRuntime> => {
  const { createDockerRuntime, engineCapacity } = await import('./docker.ts')
  const { connectEngine } = await import('./docker-client.ts')
  const engine = await connectEngine(socket)
  const capacity = await engineCapacity(engine).finally(() => engine.close())
  return {
    kind: 'docker',
    description: `docker at ${socket}`,
    capacity,
    open: owner => createDockerRuntime({ owner, socket, clock }),
  }
}

const processRuntime = async (options: DetectOptions): Promise<DetectedRuntime> => {
  const { createProcessRuntime, machineCapacity } = await import('./process.ts')
  const { directory, environment, clock, log } = options
  return {
    kind: 'process',
    description: 'processes on this machine (not a sandbox)',
    capacity: machineCapacity(),
    open: async owner => createProcessRuntime({ owner, directory, environment, clock, log }),
  }
}
