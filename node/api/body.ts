/** Reads a request's body inside limits and parses it as JSON, whatever a stranger sends. */
import type { IncomingMessage } from 'node:http'
import { Failure } from '../errors.ts'

export const BODY_BYTES_MAX = 1024 * 1024
/** Deeper than any spec, and far from what would exhaust the stack of a recursive reader. */
const DEPTH_MAX = 64

/** The parsed JSON, undefined for an empty body. Throws E_TOO_LARGE, E_INVALID. */
export const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const text = await readText(request)
  if (text.trim() === '') return undefined
  if (isTooDeep(text)) throw new Failure('E_INVALID', `the body nests more than ${DEPTH_MAX} levels deep`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure(
      'E_INVALID',
      { message: 'the body is not valid JSON', why: (cause as Error).message },
      { cause },
    )
  }
}

/** By events, not by iteration: leaving an iteration early would destroy the socket before the refusal is sent. */
const readText = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const refuse = (): void => {
      request.pause()
      request.removeAllListeners('data')
      reject(tooLarge())
    }
    if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) return refuse()
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > BODY_BYTES_MAX) return refuse()
      chunks.push(chunk)
    })
    request.once('end', () => {
      try {
        resolve(utf8Of(Buffer.concat(chunks)))
      } catch (thrown) {
        reject(thrown)
      }
    })
    request.once('error', cause => reject(new Failure('E_INVALID', 'the body was cut short', { cause })))
  })

const UTF8 = new TextDecoder('utf-8', { fatal: true })

const utf8Of = (bytes: Buffer): string => {
  try {
    return UTF8.decode(bytes)
  } catch (cause) {
    throw new Failure('E_INVALID', 'the body is not valid UTF-8', { cause })
  }
}

const tooLarge = (): Failure =>
  new Failure(
    'E_TOO_LARGE',
    { message: 'the body is too large', why: `at most ${BODY_BYTES_MAX / 1024} KiB are taken` },
    { facts: { bytesMax: BODY_BYTES_MAX } },
  )

const [BACKSLASH, QUOTE, OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5c, 0x22, 0x5b, 0x5d, 0x7b, 0x7d]

const isTooDeep = (text: string): boolean => {
  // Whatever opens so seldom is not that deep, wherever it closes: nearly every body.
  if (countOf('[', text) + countOf('{', text) <= DEPTH_MAX) return false
  let depth = 0
  let isInString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (isInString) {
      if (char === BACKSLASH) i++
      else if (char === QUOTE) isInString = false
    } else if (char === QUOTE) isInString = true
    else if (char === OPEN_LIST || char === OPEN_MAP) {
      if (++depth > DEPTH_MAX) return true
    } else if (char === CLOSE_LIST || char === CLOSE_MAP) depth--
  }
  return false
}

/** At most a little over DEPTH_MAX. */
const countOf = (char: string, text: string): number => {
  let count = 0
  for (let at = text.indexOf(char); at >= 0 && count <= DEPTH_MAX; at = text.indexOf(char, at + 1)) count++
  return count
}
