/** The three streams as the commands see them: data out, everything else beside it, and questions only where a person sits. */
import { once } from 'node:events'
import type { ReadStream, WriteStream } from 'node:tty'
import { Failure } from '../node/errors.ts'

/** `isHidden`: what is typed does not show. */
export type AskOptions = { readonly isHidden: boolean }

export type Terminal = {
  readonly isInputTTY: boolean
  readonly isOutputTTY: boolean
  readonly isErrorTTY: boolean
  /** Columns of stdout; undefined when it is not a terminal: nothing is cut then. */
  columns(): number | undefined
  /** Data, to stdout; resolves when there is room for more. */
  write(text: string): Promise<void>
  /** Progress, hints, warnings: to stderr. */
  note(text: string): void
  /** All of stdin; throws E_TOO_LARGE beyond `bytesMax`. */
  readAll(bytesMax: number): Promise<string>
  /** One line typed by a person; null when stdin is not a terminal or it ended. */
  ask(question: string, signal: AbortSignal, options?: AskOptions): Promise<string | null>
}

type Streams = {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  readonly error: NodeJS.WritableStream
}

const isTTY = (stream: unknown): boolean => (stream as WriteStream | ReadStream).isTTY === true

/** Binds the streams. Nothing here holds the process open. */
export const makeTerminal = ({ input, output, error }: Streams): Terminal => ({
  isInputTTY: isTTY(input),
  isOutputTTY: isTTY(output),
  isErrorTTY: isTTY(error),
  columns: () => (isTTY(output) ? (output as WriteStream).columns : undefined),
  async write(text) {
    if (text !== '' && !output.write(text)) await once(output, 'drain')
  },
  note(text) {
    error.write(text)
  },
  async readAll(bytesMax) {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > bytesMax) throw new Failure('E_TOO_LARGE', `standard input is larger than ${bytesMax} bytes`)
      chunks.push(bytes)
    }
    return Buffer.concat(chunks).toString('utf8')
  },
  async ask(question, signal, { isHidden } = { isHidden: false }) {
    if (!isTTY(input)) return null
    const { createInterface } = await import('node:readline/promises')
    if (isHidden) error.write(question)
    const lines = createInterface(
      isHidden ? { input, output: await nowhere(), terminal: true } : { input, output: error },
    )
    try {
      return await lines.question(isHidden ? '' : question, { signal })
    } finally {
      lines.close()
      if (isHidden) error.write('\n')
    }
  },
})

/** Where the echo of what is typed goes when it must not show. */
const nowhere = async (): Promise<NodeJS.WritableStream> => {
  const { Writable } = await import('node:stream')
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
