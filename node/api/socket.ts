/** Where the server listens: the unix socket that is never open to others, not even for a moment, and the TCP address. */
import { lstat, unlink } from 'node:fs/promises'
import { createConnection, isIP, type ListenOptions, type Server } from 'node:net'
import { Failure } from '../errors.ts'

/** `sun_path` of Linux is 108 bytes with its final zero. */
const SOCKET_PATH_BYTES_MAX = 107
const PRIVATE_UMASK = 0o177

/**
 * Binds with mode 0600. A socket file that a dead node left is replaced. Throws E_CONFLICT when a node answers on it
 * or it is no socket, E_INVALID when the path is too long.
 */
export const listenOnSocket = async (server: Server, path: string): Promise<void> => {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX)
    throw new Failure(
      'E_INVALID',
      {
        message: `the path of the API socket is too long: ${path}`,
        why: `the system allows ${SOCKET_PATH_BYTES_MAX} bytes`,
        try: 'choose a shorter data directory with --data',
      },
      { facts: { path } },
    )
  await removeStale(path)
  // The umask holds for the bind alone: libuv binds a path inside this very call.
  const former = process.umask(PRIVATE_UMASK)
  let listening: Promise<void>
  try {
    listening = listen(server, { path })
  } finally {
    process.umask(former)
  }
  await listening.catch(cause => {
    throw new Failure(
      'E_CONFLICT',
      { message: `the API socket ${path} cannot be opened`, why: String((cause as Error).message) },
      { facts: { path }, cause },
    )
  })
}

const removeStale = async (path: string): Promise<void> => {
  const file = await lstat(path).catch(() => null)
  if (file === null) return
  if (!file.isSocket())
    throw new Failure(
      'E_CONFLICT',
      {
        message: `${path} is in the way`,
        why: 'it is not a socket',
        try: `move it away: mv ${path} ${path}.old`,
      },
      { facts: { path } },
    )
  if (await answers(path))
    throw new Failure(
      'E_CONFLICT',
      {
        message: 'another node already runs in this data directory',
        why: `it answers on ${path}`,
        try: 'choose another directory with --data, or stop the other node first',
      },
      { facts: { path } },
    )
  await unlink(path)
}

const answers = async (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const probe = createConnection({ path })
    const settle = (isAnswering: boolean): void => {
      probe.destroy()
      resolve(isAnswering)
    }
    probe.once('connect', () => settle(true))
    probe.once('error', () => settle(false))
  })

export type TcpAddress = { readonly host: string; readonly port: number }

/** Parses `HOST:PORT` or `[IPv6]:PORT`. Throws E_INVALID. */
export const tcpAddressOf = (text: string): TcpAddress => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new Failure(
    'E_INVALID',
    { message: `"${text}" is not an address`, why: 'it must be HOST:PORT', try: '--api 127.0.0.1:7700' },
    { facts: { address: text } },
  )
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** Throws E_PORT_IN_USE, or E_INVALID for an address that this machine does not have. */
export const listenOnTcp = async (server: Server, { host, port }: TcpAddress): Promise<TcpAddress> => {
  await listen(server, { host, port }).catch(cause => {
    throw bindFailure({ host, port }, cause as NodeJS.ErrnoException)
  })
  const bound = server.address()
  return { host, port: typeof bound === 'object' && bound !== null ? bound.port : port }
}

const bindFailure = ({ host, port }: TcpAddress, cause: NodeJS.ErrnoException): Failure => {
  const options = { facts: { host, port }, cause }
  if (cause.code === 'EADDRINUSE')
    return new Failure(
      'E_PORT_IN_USE',
      {
        message: `the API address ${host}:${port} is in use`,
        why: 'another program, maybe another node, listens there',
        try: `see who: ss -ltnp 'sport = :${port}', or choose another address with --api HOST:PORT`,
      },
      options,
    )
  return new Failure(
    'E_INVALID',
    {
      message: `the node cannot listen on ${host}:${port}`,
      why: cause.message,
      try: 'choose an address of this machine with --api HOST:PORT',
    },
    options,
  )
}

const listen = (server: Server, options: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
