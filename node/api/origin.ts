/**
 * Keeps web pages of others out (DNS rebinding, cross-site requests): which Host and Origin headers a request on the
 * TCP address may carry. Decides nothing about who the caller is.
 */
import { isIP } from 'node:net'
import { Failure } from '../errors.ts'

/** What a server answers to, known once it listens. */
export type OwnNames = {
  /** Host names, lower case. IP addresses need no place here: rebinding needs a name. */
  readonly names: ReadonlySet<string>
  /** Whole origins (`https://ash:7700`), lower case: the only pages that may send requests. */
  readonly origins: ReadonlySet<string>
}

export type OriginHeaders = {
  readonly host: string | undefined
  readonly origin: string | undefined
}

/** Names and addresses of this node, as a browser would write the origin of its pages. */
export const ownNames = (
  hosts: readonly string[],
  { scheme, port }: { readonly scheme: 'http' | 'https'; readonly port: number },
): OwnNames => {
  const known = [...new Set(['localhost', ...hosts].map(host => host.toLowerCase().replace(/\.$/, '')))]
  const shown = known.map(host => (isIP(host) === 6 ? `[${host}]` : host))
  // A browser leaves out the port that its scheme implies.
  const isImplied = port === (scheme === 'https' ? 443 : 80)
  return {
    names: new Set(known),
    origins: new Set(shown.map(host => `${scheme}://${host}${isImplied ? '' : `:${port}`}`)),
  }
}

/** Throws E_FORBIDDEN. */
export const checkOrigin = (headers: OriginHeaders, own: OwnNames): void => {
  const host = headers.host === undefined ? null : hostNameOf(headers.host)
  if (host === null || (isIP(host) === 0 && !own.names.has(host)))
    throw new Failure(
      'E_FORBIDDEN',
      {
        message: `this node does not answer to the name "${headers.host ?? ''}"`,
        why: 'a name that a stranger may point here is refused, against DNS rebinding',
        try: "use the node's IP address, or name the host when the node is started",
      },
      { facts: { host: headers.host ?? null } },
    )
  // Never compared with Host, which is the sender's word as much as Origin is.
  if (headers.origin !== undefined && !own.origins.has(headers.origin.toLowerCase()))
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

/** The name or address of a Host header without its port, lower case; null when it is neither. */
export const hostNameOf = (header: string): string | null => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/.exec(header)
  const name = match?.[1] ?? match?.[2]
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, '')
}
