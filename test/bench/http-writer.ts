/**
 * The smallest HTTP client that a closed loop needs: one connection, one request under way, an answer with a
 * content-length. It costs the machine no more than the generator's gRPC does, so that nodes are measured, not clients.
 */
import { connect, type Socket } from 'node:net'

const HEAD_END = '\r\n\r\n'

type Waiting = { resolve(): void; reject(error: Error): void }

export class HttpWriter {
  readonly #socket: Socket
  #answer = ''
  #waiting: Waiting | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', error => this.#settle(error))
    socket.on('close', () => this.#settle(new Error('the connection closed')))
  }

  static open(socketPath: string): Promise<HttpWriter> {
    return new Promise((resolve, reject) => {
      const socket = connect(socketPath, () => {
        socket.off('error', reject)
        resolve(new HttpWriter(socket))
      })
      socket.once('error', reject)
    })
  }

  /** Resolves for status 200. */
  post(path: string, body: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#answer = ''
      this.#socket.write(
        `POST ${path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#answer += text
    const headLength = this.#answer.indexOf(HEAD_END) + HEAD_END.length
    if (headLength < HEAD_END.length) return
    const bodyLength = /\r\ncontent-length: (\d+)/i.exec(this.#answer)?.[1]
    if (this.#answer.length < headLength + Number(bodyLength)) return
    this.#settle(this.#answer.startsWith('HTTP/1.1 200 ') ? null : new Error(this.#answer))
  }

  #settle(error: Error | null): void {
    const waiting = this.#waiting
    this.#waiting = null
    if (error === null) waiting?.resolve()
    else waiting?.reject(error)
  }
}
