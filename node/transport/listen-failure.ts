/** Why the address for peers could not be bound, in words for whoever started the node. */
import { type ErrorCode, Failure, messageOf } from '../errors.ts'
import { hostPortOf } from './host-port.ts'

export const listenFailure = (listen: string, cause: unknown): Failure => {
  const text = messageOf(cause)
  const found = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(text)?.[1]
  const { host, port } = hostPortOf(listen)
  const told: Record<string, { code: ErrorCode; why: string; try: string }> = {
    EADDRINUSE: {
      code: 'E_PORT_IN_USE',
      why: `another program, perhaps another node, listens on port ${port}`,
      try: `tutti start --listen ${host}:${port + 1}    or find it: ss -ltnp 'sport = :${port}'`,
    },
    EADDRNOTAVAIL: {
      code: 'E_INVALID',
      why: `${host} is no address of this machine`,
      try: 'ip address    lists them',
    },
    EACCES: { code: 'E_INVALID', why: `port ${port} needs more rights`, try: 'use a port from 1024 up' },
  }
  const known = found === undefined ? undefined : told[found]
  const message = `cannot listen on ${listen} for peers`
  if (known === undefined)
    return new Failure('E_INTERNAL', { message, why: text.split('\n')[0] ?? '' }, { cause })
  return new Failure(
    known.code,
    { message, why: known.why, try: known.try },
    { facts: { listen, port }, cause },
  )
}
