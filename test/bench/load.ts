/** Writes through a node's socket: what the benches of the write path have in common. */
import { type Agent, request } from 'node:http'

export const VALUE_BYTES = 256

/** A workload of no pods whose environment carries the value: each write changes it. */
export const specOf = (client: number, write: number): unknown => ({
  name: `bench-${client}`,
  kind: 'service',
  count: 0,
  pod: { containers: [{ command: ['true'], env: { VALUE: `${write}-`.padEnd(VALUE_BYTES, 'x') } }] },
})

/** Resolves once the write is accepted. */
export const post = (agent: Agent, socket: string, spec: unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ spec })
    const call = request(
      {
        agent,
        socketPath: socket,
        method: 'POST',
        path: '/tutti/v1/workloads',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      response => {
        let answer = ''
        response.on('data', chunk => {
          answer += chunk
        })
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}: ${answer}`)),
        )
      },
    )
    call.on('error', reject)
    call.end(body)
  })
