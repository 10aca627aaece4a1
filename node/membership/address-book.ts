/** Peers' addresses on disk, so that a restarted node needs no seed. Hints only: the connection proves who answers. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sealedJson, unsealedJson, writeDurably } from '../durable-file.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Peers } from './roster.ts'

export type AddressBook = {
  peers(): Peers
  /** Takes effect at once; reaches the disk soon after, whole or not at all. */
  replace(peers: Peers): void
  /** Resolves when what was replaced so far is on disk. */
  flushed(): Promise<void>
}

const FILE = 'addresses.json'
/** The first one was the peers alone; it is still read. */
const FORMAT = 2
const PEERS_MAX = 10_000

/** A damaged book is an empty one: seeds, the log and the beacon know addresses too. */
export const openAddressBook = async (options: {
  readonly directory: string
  readonly log: Log
}): Promise<AddressBook> => {
  const path = join(options.directory, FILE)
  let peers = await load(path, options.log)
  let written = textOf(peers)
  let writing: Promise<void> = Promise.resolve()

  const save = async (): Promise<void> => {
    const text = textOf(peers)
    if (text === written) return
    try {
      await writeDurably(options.directory, FILE, text)
      written = text
    } catch (thrown) {
      options.log.warn('the addresses of the other nodes could not be kept', {
        path,
        error: messageOf(thrown),
      })
    }
  }

  return {
    peers: () => peers,
    replace(next) {
      peers = next
      writing = writing.then(save)
    },
    flushed: () => writing,
  }
}

const textOf = (peers: Peers): string => sealedJson({ format: FORMAT, peers: Object.fromEntries(peers) })

const load = async (path: string, log: Log): Promise<Peers> => {
  try {
    const peers = parsePeers(await readFile(path, 'utf8'))
    if (peers !== null) return peers
    log.warn('the file of addresses is damaged and was ignored', { path })
  } catch (thrown) {
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT'
    if (!isMissing) log.warn('the file of addresses could not be read', { path, error: messageOf(thrown) })
  }
  return new Map()
}

const parsePeers = (text: string): Peers | null => {
  const read = unsealedJson(text)
  if (read === null || (read.format !== undefined && read.format !== FORMAT)) return null
  const peers = read.format === undefined ? read : read.peers
  if (typeof peers !== 'object' || peers === null) return null
  const entries = Object.entries(peers).slice(0, PEERS_MAX)
  const isSound = entries.every(
    ([, addresses]) => Array.isArray(addresses) && addresses.every(address => typeof address === 'string'),
  )
  return isSound ? new Map(entries as [string, string[]][]) : null
}
