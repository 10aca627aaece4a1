/** What comes out of a container: a command run inside it, and its output so far or as it comes. */
import type { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Engine } from './docker-client.ts'
import { framesOf, linesOf } from './docker-stream.ts'
import type { LogLine, Runtime } from './runtime.ts'

const QUERY_DEADLINE_MS = 10_000
const OUTPUT_BYTES_MAX = 4_096

/** After the deadline the command may go on inside the container: the engine has no way to end it. */
export const execIn = async (
  engine: Engine,
  containerId: string,
  command: readonly string[],
  { timeoutMs, clock }: { readonly timeoutMs: number; readonly clock: Clock },
): Promise<{ readonly exitCode: number; readonly output: string }> => {
  const untilMs = clock.monotonicMs() + timeoutMs
  const execution = await engine.call('prepare a command', QUERY_DEADLINE_MS, abortSignal =>
    engine.docker
      .getContainer(containerId)
      .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, abortSignal }),
  )
  const stream = await engine.call('run a command', QUERY_DEADLINE_MS, abortSignal =>
    execution.start({ abortSignal } as object),
  )
  const leftMs = Math.max(1, untilMs - clock.monotonicMs())
  const output = await collect(stream, leftMs, clock)
  if (output === null) throw new Failure('E_TIMEOUT', `The command did not end within ${timeoutMs} ms.`)
  const { ExitCode } = await engine.call('tell an exit code', QUERY_DEADLINE_MS, abortSignal =>
    execution.inspect({ abortSignal }),
  )
  return { exitCode: ExitCode ?? 1, output }
}

/** Null when it did not end in time. */
const collect = async (stream: Readable, withinMs: number, clock: Clock): Promise<string | null> => {
  let isLate = false
  const cancel = clock.after(withinMs, () => {
    isLate = true
    stream.destroy()
  })
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const { payload } of framesOf(stream)) {
      const kept = payload.subarray(0, Math.max(0, OUTPUT_BYTES_MAX - bytes))
      bytes += kept.length
      if (kept.length > 0) chunks.push(Buffer.from(kept))
    }
  } catch (thrown) {
    if (!isLate) throw thrown
  } finally {
    cancel()
  }
  return isLate ? null : Buffer.concat(chunks).toString('utf8')
}

type LogOptions = Parameters<Runtime['logs']>[1]

export async function* logsFrom(
  engine: Engine,
  containerId: string,
  options: LogOptions,
): AsyncIterable<LogLine> {
  const { signal } = options
  const stream = await openLogs(engine, containerId, options)
  const close = () => stream.destroy()
  signal.addEventListener('abort', close, { once: true })
  try {
    if (!signal.aborted) yield* linesOf(stream)
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  } finally {
    signal.removeEventListener('abort', close)
    stream.destroy()
  }
}

/** Straight through the library's own transport: its `logs` would hold everything in memory unless it follows. */
const openLogs = (engine: Engine, id: string, { follow, tail }: LogOptions): Promise<Readable> => {
  const options = { follow, stdout: true, stderr: true, timestamps: true, tail: tail ?? 'all' }
  return engine.call('show output', QUERY_DEADLINE_MS, abortSignal => {
    const request = {
      path: `/containers/${id}/logs?`,
      method: 'GET',
      isStream: true,
      options,
      abortSignal,
      statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
    }
    return new Promise<Readable>((done, failed) =>
      engine.docker.modem.dial(request, (error, stream) =>
        error ? failed(error) : done(stream as Readable),
      ),
    )
  })
}
