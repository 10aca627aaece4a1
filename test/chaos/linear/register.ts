/**
 * A register behind the public API of one node: a workload of no pods, whose environment carries the value. Whoever wrote
 * it, it is read with `?consistency=`, and set on condition with `checkIndex`.
 */
import { Agent, request } from 'node:http'
import type { WorkloadView } from '../../../node/api/native/schema.ts'
import type { Value } from '../../harness/operation.ts'

/** What a node is asked to take at most, and how much longer the client itself waits. */
const TIMEOUT_MS = 3_000
const PATIENCE_MS = 4_000

/** A value, and the log index that wrote it; 0 for none. */
export type Version = { readonly value: Value; readonly index: number }

export type Answer =
  | { readonly type: 'done'; readonly version: Version }
  /** The condition did not hold, and nothing changed. */
  | { readonly type: 'conflict' }
  /** It said, or never took the call, so that nothing changed. */
  | { readonly type: 'refused'; readonly why: string }
  /** Nobody knows. */
  | { readonly type: 'unknown'; readonly why: string }

export class Register {
  readonly #socket: string
  /** One connection, kept alive: a client does one thing at a time. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(socket: string) {
    this.#socket = socket
  }

  async read(key: string, consistency: string): Promise<Answer> {
    const path = `/tutti/v1/workloads/${key}?consistency=${consistency}&timeout=${TIMEOUT_MS}`
    const reply = await this.#exchange('GET', path, null)
    if ('type' in reply) return reply
    if (reply.status === 404) return { type: 'done', version: { value: null, index: 0 } }
    if (reply.status !== 200) return failed(reply)
    const [row] = (reply.body as { readonly items: readonly WorkloadView[] }).items
    const value = row?.spec.pod.containers[0]?.env.VALUE
    if (row === undefined || value === undefined) throw new Error(`no value in ${JSON.stringify(reply.body)}`)
    return { type: 'done', version: { value, index: row.modifiedIndex } }
  }

  /** `checkIndex`: only if nobody wrote after that index; null writes in any case. */
  async write(key: string, value: string, checkIndex: number | null): Promise<Answer> {
    const spec = {
      name: key,
      kind: 'service',
      count: 0,
      pod: { containers: [{ command: ['true'], env: { VALUE: value } }] },
    }
    const body = JSON.stringify({ spec, ...(checkIndex === null ? {} : { checkIndex }) })
    const reply = await this.#exchange('POST', `/tutti/v1/workloads?timeout=${TIMEOUT_MS}`, body)
    if ('type' in reply) return reply
    if (reply.status === 200)
      return { type: 'done', version: { value, index: (reply.body as { readonly index: number }).index } }
    return failed(reply)
  }

  close(): void {
    this.#agent.destroy()
  }

  #exchange(method: string, path: string, body: string | null): Promise<Reply | Answer> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          agent: this.#agent,
          socketPath: this.#socket,
          method,
          path,
          headers:
            body === null
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        response => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', chunk => {
            text += chunk
          })
          response.on('error', broken)
          response.on('end', () => {
            clearTimeout(timer)
            if (!response.complete) return resolve({ type: 'unknown', why: 'the answer broke off' })
            try {
              resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) })
            } catch (thrown) {
              reject(thrown)
            }
          })
        },
      )
      const broken = (thrown: Error): void => {
        clearTimeout(timer)
        const { code = thrown.message } = thrown as NodeJS.ErrnoException
        // Nobody listens, so nobody has heard it.
        if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve({ type: 'refused', why: code })
        else resolve({ type: 'unknown', why: code })
      }
      const timer = setTimeout(() => call.destroy(new Error('no answer in time')), PATIENCE_MS)
      call.on('error', broken)
      call.end(body ?? undefined)
    })
  }
}

type Reply = { readonly status: number; readonly body: unknown }

/** What a node may answer when something around it is broken. Anything else is a fault of its own. */
const EXPECTED = ['E_NO_LEADER', 'E_NO_QUORUM', 'E_TIMEOUT', 'E_BUSY', 'E_UNREACHABLE']

const failed = ({ status, body }: Reply): Answer => {
  const { code = '', why = '' } =
    (body as { readonly error?: { readonly code?: string; readonly why?: string } }).error ?? {}
  if (code === 'E_CONFLICT') return { type: 'conflict' }
  if (!EXPECTED.includes(code)) throw new Error(`a node answered ${status} ${JSON.stringify(body)}`)
  // A promise to users, so it is held to it.
  return { type: /nothing was written/.test(why) ? 'refused' : 'unknown', why: code }
}
