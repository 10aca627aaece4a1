/** The door to one engine: dockerode on a unix socket, a deadline for every call, and its errors in our words. */
import { Agent } from 'node:http'
import type Dockerode from 'dockerode'
import { Failure, messageOf } from '../errors.ts'

export type Engine = {
  readonly docker: Dockerode
  readonly socket: string
  /**
   * Runs one call of the engine. `act` must hand the signal on. Throws E_RUNTIME_UNAVAILABLE when the engine does not
   * answer in time or at all, EngineRefusal when it answers with no.
   */
  call<T>(what: string, deadlineMs: number, act: (abortSignal: AbortSignal) => Promise<T>): Promise<T>
  close(): void
}

/** The engine answered, and would not. Stays inside this folder: every way out translates it. */
export class EngineRefusal extends Error {
  readonly status: number

  constructor(status: number, reason: string) {
    super(reason)
    this.name = 'EngineRefusal'
    this.status = status
  }
}

/** Imports dockerode only now: it is slow to load, and most programs never need it. */
export const connectEngine = async (socket: string): Promise<Engine> => {
  const { default: Docker } = await import('dockerode')
  const agent = new Agent({ keepAlive: true })
  // An empty host keeps DOCKER_HOST from overruling the socket: the library prefers a host to a socket.
  const options = { socketPath: socket, host: '', agent }
  const docker = new Docker(options as Dockerode.DockerOptions)
  return {
    docker,
    socket,
    async call(what, deadlineMs, act) {
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), deadlineMs)
      try {
        return await act(deadline.signal)
      } catch (thrown) {
        if (deadline.signal.aborted)
          throw unavailable(socket, `no answer within ${deadlineMs} ms while it was to ${what}`, thrown)
        throw translated(socket, thrown)
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => agent.destroy(),
  }
}

const translated = (socket: string, thrown: unknown): Error => {
  if (thrown instanceof Failure || thrown instanceof EngineRefusal) return thrown
  const answer = thrown as { statusCode?: unknown; json?: { message?: unknown } }
  if (typeof answer.statusCode !== 'number') return unavailable(socket, messageOf(thrown), thrown)
  const reason = typeof answer.json?.message === 'string' ? answer.json.message : messageOf(thrown)
  return new EngineRefusal(answer.statusCode, reason.trim())
}

export const unavailable = (socket: string, why: string, cause?: unknown): Failure =>
  new Failure(
    'E_RUNTIME_UNAVAILABLE',
    {
      message: `The container engine at ${socket} does not answer.`,
      why,
      try: why.includes('EACCES')
        ? `add the node's user to the group that owns ${socket}`
        : 'systemctl start docker, name another socket with --docker-socket PATH, or use --runtime process',
    },
    { facts: { socket }, cause },
  )

/** What a refusal means to the contract; anything not recognised is E_INTERNAL with the engine's own words. */
export const failureOfRefusal = (thrown: unknown, what: string): Error => {
  if (!(thrown instanceof EngineRefusal)) return thrown as Error
  const words = thrown.message
  if (
    /port is already allocated|address already in use|failed to bind host port|cannot expose port/i.test(
      words,
    )
  )
    return new Failure(
      'E_PORT_IN_USE',
      { message: `A port to publish is in use.`, why: words },
      { cause: thrown },
    )
  if (/no such image/i.test(words))
    return new Failure('E_IMAGE_MISSING', { message: 'The image is gone.', why: words }, { cause: thrown })
  const command = invalidCommand(words)
  if (command !== null)
    return new Failure('E_COMMAND_INVALID', { message: command, why: words }, { cause: thrown })
  const text = { message: `The container engine would not ${what}.`, why: words }
  return new Failure('E_INTERNAL', text, { cause: thrown })
}

/** runc says `exec: "nosuch": executable file not found in $PATH`, in many wrappings. */
const invalidCommand = (words: string): string | null => {
  const quoted = /exec: \\?"((?:[^"\\]|\\.)*?)\\?"/.exec(words)?.[1]
  const subject = quoted === undefined ? 'The command' : `The command ${quoted}`
  if (/executable file not found|no such file or directory/i.test(words) && /exec|oci runtime/i.test(words))
    return `${subject} is not in the image.`
  if (/permission denied/i.test(words) && /exec|oci runtime/i.test(words))
    return `${subject} is not an executable file of the image.`
  if (/no command specified/i.test(words)) return 'Neither the image nor the container names a command.'
  return null
}

/** True for an answer that means that what was asked for is so already, or is nothing any more. */
export const isStatus = (thrown: unknown, ...statuses: readonly number[]): boolean =>
  thrown instanceof EngineRefusal && statuses.includes(thrown.status)
