/**
 * Keeps web pages of others out (DNS rebinding, cross-site requests): which Host and Origin headers a request on the
 * TCP address may carry. Decides nothing about who the caller is.
 */
import { isIP } from 'node:net'
import { Failure } from '../errors.ts'

/** Host names under which this node may be addressed, lower case. IP addresses always may: rebinding needs a name. */
export type HostNames = ReadonlySet<string>

export type OriginHeaders = {
  readonly host: string | undefined
  readonly origin: string | undefined
}

/** Throws E_FORBIDDEN. `scheme` is that of the socket the request came in on. */
export const checkOrigin = (headers: OriginHeaders, scheme: 'http' | 'https', names: HostNames): void => {
  const host = headers.host === undefined ? null : hostNameOf(headers.host)
  if (host === null || !isKnown(host, names))
    throw new Failure(
      'E_FORBIDDEN',
      {
        message: `this node does not answer to the name "${headers.host ?? ''}"`,
        why: 'a name that a stranger may point here is refused, against DNS rebinding',
        try: "use the node's IP address, or name the host when the node is started",
      },
      { facts: { host: headers.host ?? null } },
    )
  if (headers.origin === undefined) return
  // Equal to Host is enough only because Host itself has just passed the allow-list.
  if (headers.origin.toLowerCase() === `${scheme}://${headers.host?.toLowerCase()}`) return
  throw foreignOrigin(headers.origin)
}

/** For the unix socket: no web page reaches it, so a request with an Origin is not what it seems. */
export const checkNoOrigin = (headers: OriginHeaders): void => {
  if (headers.origin !== undefined) throw foreignOrigin(headers.origin)
}

const foreignOrigin = (origin: string): Failure =>
  new Failure(
    'E_FORBIDDEN',
    {
      message: 'requests from foreign web pages are refused',
      why: `the request names the origin "${origin}"`,
    },
    { facts: { origin } },
  )

const isKnown = (host: string, names: HostNames): boolean =>
  isIP(host) !== 0 || host === 'localhost' || names.has(host)

/** The name or address of a Host header without its port, lower case; null when it is neither. */
export const hostNameOf = (header: string): string | null => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/.exec(header)
  const name = match?.[1] ?? match?.[2]
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, '')
}
