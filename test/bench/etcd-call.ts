/** The two calls of etcd that the bench makes: Put as a hand-framed gRPC message, and the status as JSON. */
import { request as httpRequest } from 'node:http'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { connect as connectSocket } from 'node:net'

const GRPC_HEAD_BYTES = 5
/** Protobuf: fields 1 and 2 of a message, both of bytes. */
const KEY_TAG = 0x0a
const VALUE_TAG = 0x12

/** Streams of one connection, as many at once as there are calls. */
export const openEtcd = (socketPath: string): Promise<ClientHttp2Session> =>
  new Promise((resolve, reject) => {
    const session = connect('http://etcd', { createConnection: () => connectSocket(socketPath) })
    session.once('error', reject)
    session.once('connect', () => {
      session.off('error', reject)
      // Every stream of a session that breaks is told by itself.
      session.on('error', () => undefined)
      resolve(session)
    })
  })

export const put = (session: ClientHttp2Session, key: string, value: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const stream = session.request(
      {
        ':method': 'POST',
        ':path': '/etcdserverpb.KV/Put',
        'content-type': 'application/grpc',
        te: 'trailers',
      },
      { endStream: false },
    )
    let status: unknown = 'none'
    stream.on('response', headers => {
      status = headers['grpc-status'] ?? status
    })
    stream.on('trailers', trailers => {
      status = trailers['grpc-status']
    })
    stream.on('error', reject)
    stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`gRPC status ${status}`))))
    stream.resume()
    stream.end(putMessage(key, value))
  })

/** The call is given up, and the node told so. */
export const cancelAll = (session: ClientHttp2Session): void =>
  session.destroy(undefined, constants.NGHTTP2_CANCEL)

export type EtcdStatus = { readonly isLeader: boolean; readonly appliedIndex: number; readonly term: number }

export const statusOf = (socketPath: string): Promise<EtcdStatus> =>
  new Promise((resolve, reject) => {
    const call = httpRequest({ socketPath, method: 'POST', path: '/v3/maintenance/status' }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => {
        if (response.statusCode !== 200) return reject(new Error(text))
        const { header, leader, raftAppliedIndex, raftTerm } = JSON.parse(text)
        resolve({
          isLeader: header.member_id === leader,
          appliedIndex: Number(raftAppliedIndex),
          term: Number(raftTerm),
        })
      })
    })
    call.on('error', reject)
    call.end('{}')
  })

const putMessage = (key: string, value: string): Buffer => {
  const fields = Buffer.concat([fieldOf(KEY_TAG, key), fieldOf(VALUE_TAG, value)])
  const head = Buffer.alloc(GRPC_HEAD_BYTES)
  head.writeUInt32BE(fields.length, 1)
  return Buffer.concat([head, fields])
}

/** Lengths are varints; two bytes of them reach to 16 KiB. */
const fieldOf = (tag: number, text: string): Buffer => {
  const bytes = Buffer.from(text)
  const length = bytes.length < 0x80 ? [bytes.length] : [0x80 | (bytes.length & 0x7f), bytes.length >> 7]
  return Buffer.concat([Buffer.from([tag, ...length]), bytes])
}
