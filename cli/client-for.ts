/** From what was said (addresses, token) to a client. */
import { Client, type ClientOptions } from './client.ts'
import type { Settings } from './command.ts'
import { readSecret } from './context.ts'

/** A client for the addresses of the settings; the token is read only when one of them is not a local socket. */
export const clientFor = (settings: Settings, options: Omit<ClientOptions, 'target'>): Client => {
  const isLocal = settings.connect.every(address => address.startsWith('unix:') || address.startsWith('/'))
  const token = isLocal || settings.token === null ? null : readSecret(settings.token)
  return new Client({
    target: { addresses: settings.connect, token, authority: settings.authority },
    ...options,
  })
}
