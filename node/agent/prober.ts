/**
 * Health checks as single acts, and the only place where a probe touches a socket. A check reaches the address that
 * the runtime gave for the container and nothing else: redirects are answers, not directions, and no name is resolved.
 */
import { request } from 'node:http'
import { connect, isIP } from 'node:net'
import type { HealthCheck } from '../../scheduler/index.ts'
import { messageOf } from '../errors.ts'
import type { ContainerKey, Runtime } from '../runtime/runtime.ts'

export type ProbeTarget = {
  readonly key: ContainerKey
  readonly address: string
  /** By port name, where the container's ports answer. */
  readonly ports: Readonly<Record<string, number>>
}

/** `text` says what was asked and what came back, for people. */
export type ProbeResult = { readonly ok: boolean; readonly text: string }

/** Never rejects, and answers within the check's timeout, give or take a turn of the loop. */
export type Prober = { probe(check: HealthCheck, target: ProbeTarget): Promise<ProbeResult> }

/** An answer's body is not read beyond this: a check is a question, not a download. */
export const BODY_BYTES_MAX = 4_096
/** Command output quoted in a reason. */
const QUOTED_CHARACTERS_MAX = 200

export const createProber = (runtime: Pick<Runtime, 'exec'>): Prober => ({
  async probe(check, target) {
    if (check.type === 'exec') return probeExec(runtime, check, target)
    const port = target.ports[check.port]
    if (port === undefined) return { ok: false, text: `the container has no port named ${check.port}` }
    if (isIP(target.address) === 0) return { ok: false, text: 'the container has no address yet' }
    const place = { host: target.address, port }
    return check.type === 'http' ? probeHttp(check, place) : probeTcp(check, place)
  },
})

type Place = { readonly host: string; readonly port: number }

const probeHttp = (check: HealthCheck & { type: 'http' }, { host, port }: Place): Promise<ProbeResult> => {
  const asked = `GET ${check.path} on port ${port}`
  return new Promise(resolve => {
    const settle = (ok: boolean, answer: string) => {
      clearTimeout(deadline)
      resolve({ ok, text: `${asked}: ${answer}` })
      outgoing?.destroy()
    }
    const deadline = setTimeout(
      () => settle(false, `no answer within ${check.timeoutMs} ms`),
      check.timeoutMs,
    )
    const outgoing = openRequest(check.path, { host, port }, thrown => settle(false, thrown))
    outgoing?.on('error', error => settle(false, error.message))
    outgoing?.on('response', response => {
      const status = response.statusCode ?? 0
      const finish = () => settle(status >= 200 && status < 400, `status ${status}`)
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > BODY_BYTES_MAX) finish()
      })
      response.on('end', finish)
      response.on('error', error => settle(false, error.message))
    })
    outgoing?.end()
  })
}

/** Null when the path cannot be asked for at all (control characters). */
const openRequest = (path: string, { host, port }: Place, refused: (why: string) => void) => {
  try {
    return request({
      host,
      port,
      path: path.startsWith('/') ? path : `/${path}`,
      method: 'GET',
      agent: false,
      headers: { 'user-agent': 'tutti-probe', accept: '*/*', connection: 'close' },
    })
  } catch (thrown) {
    queueMicrotask(() => refused(messageOf(thrown)))
    return null
  }
}

const probeTcp = (check: HealthCheck & { type: 'tcp' }, { host, port }: Place): Promise<ProbeResult> =>
  new Promise(resolve => {
    const socket = connect({ host, port })
    const settle = (ok: boolean, answer: string) => {
      clearTimeout(deadline)
      socket.destroy()
      resolve({ ok, text: `connect to port ${port}: ${answer}` })
    }
    const deadline = setTimeout(
      () => settle(false, `no answer within ${check.timeoutMs} ms`),
      check.timeoutMs,
    )
    socket.once('connect', () => settle(true, 'connected'))
    socket.once('error', error => settle(false, error.message))
  })

const probeExec = async (
  runtime: Pick<Runtime, 'exec'>,
  check: HealthCheck & { type: 'exec' },
  target: ProbeTarget,
): Promise<ProbeResult> => {
  const asked = check.command.join(' ').slice(0, QUOTED_CHARACTERS_MAX)
  try {
    const { exitCode, output } = await runtime.exec(target.key, check.command, { timeoutMs: check.timeoutMs })
    const quoted = output.trim().slice(0, QUOTED_CHARACTERS_MAX)
    const said = quoted === '' ? '' : ` (${quoted})`
    return { ok: exitCode === 0, text: `${asked}: exit code ${exitCode}${said}` }
  } catch (thrown) {
    return { ok: false, text: `${asked}: ${messageOf(thrown)}` }
  }
}
