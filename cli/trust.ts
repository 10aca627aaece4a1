/** Which server may see a token: one whose authority is that of the cluster that the token pins. Asks without showing it. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import { isEndorsed } from '../node/authority/endorsement.ts'
import { Failure } from '../node/errors.ts'

export type Server = { readonly host: string; readonly port: number }

const ANSWER_WITHIN_MS = 5_000
/** Ours are two: the server's own and the authority's. */
const CHAIN_MAX = 8

/**
 * The authority's certificate (PEM) that a server shows, once it is proven to be that of the cluster with this pin; every
 * later connection is checked against it. Throws E_JOIN_WRONG_CLUSTER, or what the network throws.
 */
export const fetchAuthority = async (server: Server, pin: string, signal: AbortSignal): Promise<string> => {
  const socket = await handshake(server, signal)
  try {
    const authority = chainOf(socket.getPeerCertificate(true)).find(certificate =>
      isEndorsed(certificate, pin),
    )
    if (authority !== undefined) return authority.toString()
  } finally {
    socket.destroy()
  }
  throw new Failure('E_JOIN_WRONG_CLUSTER', {
    message: `${server.host}:${server.port} does not belong to the cluster of the token`,
    why: 'its certificate is not signed by that cluster, so the token was not shown to it',
    try: 'check the address, or make a token on that very cluster: tutti token create --role viewer',
  })
}

/** Nothing is sent over this connection: it is there to be shown certificates. */
const handshake = ({ host, port }: Server, signal: AbortSignal): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = connect({ host, port, ...name, rejectUnauthorized: false })
    const give = (thrown: unknown): void => {
      socket.destroy()
      reject(thrown)
    }
    const abort = (): void => give(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.setTimeout(ANSWER_WITHIN_MS, () => give(new Error('did not finish the TLS handshake')))
    socket.once('error', give)
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort)
      resolve(socket)
    })
  })

const chainOf = (first: DetailedPeerCertificate): readonly X509Certificate[] => {
  const chain: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = first
  while (next?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(new X509Certificate(next.raw))
    // A self-signed certificate is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}
