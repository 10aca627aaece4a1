/** Whether the demo can use Docker: an engine that answers, and the sample's image on it. */
import { request } from 'node:http'
import type { DemoRuntime } from './demo-node.ts'

const SOCKET = '/var/run/docker.sock'
export const SAMPLE_IMAGE = 'nginx:1.27-alpine'
const ANSWER_WITHIN_MS = 2_000
const PULL_WITHIN_MS = 60_000

export type EngineChoice = { readonly runtime: DemoRuntime; readonly reason: string }

export const chooseEngine = async (wanted: 'auto' | DemoRuntime): Promise<EngineChoice> => {
  if (wanted === 'process') return { runtime: 'process', reason: 'the built-in process runtime, as asked' }
  if ((await statusOf('GET', '/_ping', ANSWER_WITHIN_MS)) !== 200) {
    return { runtime: 'process', reason: 'no container engine found → the built-in process runtime' }
  }
  const isPresent = (await statusOf('GET', `/images/${SAMPLE_IMAGE}/json`, ANSWER_WITHIN_MS)) === 200
  if (isPresent || (await pull())) return { runtime: 'docker', reason: `Docker, with ${SAMPLE_IMAGE}` }
  return { runtime: 'process', reason: `Docker cannot get ${SAMPLE_IMAGE} → the built-in process runtime` }
}

const pull = async (): Promise<boolean> => {
  const [name, tag] = SAMPLE_IMAGE.split(':')
  await statusOf('POST', `/images/create?fromImage=${name}&tag=${tag}`, PULL_WITHIN_MS)
  return (await statusOf('GET', `/images/${SAMPLE_IMAGE}/json`, ANSWER_WITHIN_MS)) === 200
}

/** The HTTP status once the whole answer is there; null when there is none in time. */
const statusOf = (method: string, path: string, timeoutMs: number): Promise<number | null> =>
  new Promise(resolve => {
    const call = request(
      { socketPath: SOCKET, method, path, signal: AbortSignal.timeout(timeoutMs) },
      response => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? null))
        response.on('error', () => resolve(null))
      },
    )
    call.on('error', () => resolve(null))
    call.end()
  })
