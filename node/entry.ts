/** How a starting node comes to its cluster: it resumes the one of its data directory, joins one, or founds one. */
import { randomInt } from 'node:crypto'
import type { NodeFacts } from '../scheduler/index.ts'
import type { Clock } from './clock.ts'
import type { NodeConfig } from './config.ts'
import { Failure } from './errors.ts'
import { foundCluster } from './founding.ts'
import type { AddressBook } from './membership/address-book.ts'
import { joinCluster } from './membership/join.ts'
import type { Peers } from './membership/roster.ts'
import type { NodeRecord } from './record.ts'
import type { Transport } from './transport/transport.ts'

export type Entry = {
  readonly how: 'founded' | 'joined' | 'resumed'
  readonly record: NodeRecord
  /** Members known before the log tells. */
  readonly peers: Peers
}

type Entering = {
  readonly config: NodeConfig
  /** What the data directory remembers; null when it is unused. */
  readonly record: NodeRecord | null
  readonly facts: NodeFacts
  readonly transport: Transport
  readonly book: AddressBook
  readonly clock: Clock
}

/** Tries for a free name when the machine's own is taken and the user chose none. */
const NAME_TRIES_MAX = 8

/** Throws Failure; a token is spent only when it resolves. */
export const enterCluster = async (entering: Entering): Promise<Entry> => {
  const { config, facts, book, clock, record } = entering
  if (record !== null) return resume(entering, record, book)
  if (config.join.length > 0) return joinAs(entering, config.name, 1)
  const cluster = foundCluster(clock.wallMs())
  return {
    how: 'founded',
    record: {
      name: config.name,
      clusterId: cluster.id,
      clusterName: cluster.name,
      founded: cluster,
      runtime: facts.runtime,
      hasLog: false,
    },
    peers: new Map(),
  }
}

/** Seeds and token are of no use to a member: it knows its peers, and they know it. */
const resume = ({ config, facts }: Entering, record: NodeRecord, book: AddressBook): Entry => {
  const name = config.isNameChosen ? config.name : record.name
  return { how: 'resumed', record: { ...record, name, runtime: facts.runtime }, peers: book.peers() }
}

const joinAs = async (entering: Entering, name: string, tries: number): Promise<Entry> => {
  const { config, facts, transport } = entering
  try {
    const joined = await joinCluster({
      transport,
      seeds: config.join,
      token: config.token as string,
      facts: { ...facts, name },
    })
    return {
      how: 'joined',
      record: {
        name,
        clusterId: joined.clusterId,
        clusterName: joined.clusterName,
        founded: null,
        runtime: facts.runtime,
        hasLog: false,
      },
      peers: new Map(joined.members.map(member => [member.id, member.addresses])),
    }
  } catch (thrown) {
    const isNameTaken = thrown instanceof Failure && thrown.code === 'E_NAME_TAKEN'
    if (!isNameTaken || config.isNameChosen || tries >= NAME_TRIES_MAX) throw thrown
    return joinAs(entering, `${config.name.slice(0, 56)}-${randomInt(36 ** 4).toString(36)}`, tries + 1)
  }
}
