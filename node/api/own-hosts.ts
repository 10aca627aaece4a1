/** The names and addresses of this machine that a server on an address is reached under: for its certificate and its own origins. */
import { networkInterfaces } from 'node:os'

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

export const isWildcard = (host: string): boolean => WILDCARDS.has(host)

/** Also the loopback ones when it listens everywhere. Scoped addresses are left out: no certificate can name them. */
export const ownHosts = (listen: string, names: readonly string[]): readonly string[] => {
  if (!isWildcard(listen)) return [...new Set([...names, listen])]
  const addresses = Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(({ scopeid }) => !scopeid)
    .map(({ address }) => address)
  return [...new Set([...names, 'localhost', ...addresses])]
}
