/** Somebody with a node's key, or one of its own, who speaks to real nodes as it likes. */
import { systemClock } from '../../../node/clock.ts'
import { silentLog } from '../../../node/log.ts'
import { generateIdentity, loadIdentity } from '../../../node/transport/identity.ts'
import { createLibp2pTransport, type Libp2pTransport } from '../../../node/transport/libp2p.ts'
import type { LocalCluster } from '../../harness/local-cluster.ts'

/** Not started, so that handlers can be set. */
export const intruder = async (options: {
  /** `HOST:PORT` */
  readonly listen: string
  /** The data directory of a node that has ended; null: a stranger. */
  readonly stolenFrom: string | null
}): Promise<Libp2pTransport> => {
  const { listen, stolenFrom } = options
  const { privateKey } = await (stolenFrom === null ? generateIdentity() : loadIdentity(stolenFrom))
  return createLibp2pTransport({ privateKey, listen, clock: systemClock(), log: silentLog })
}

/** Takes the living nodes of the cluster for members, and resolves with their ids by name. */
export const introduceTo = async (
  transport: Libp2pTransport,
  cluster: LocalCluster,
): Promise<ReadonlyMap<string, string>> => {
  const nodes = await cluster.node(0).client(AbortSignal.timeout(20_000)).nodes()
  const others = nodes.filter(node => node.state === 'alive' && node.id !== transport.self)
  transport.admit(new Set(others.map(node => node.id)))
  for (const { id, peerAddress } of others) transport.setAddresses(id, [peerAddress])
  return new Map(others.map(node => [node.name, node.id]))
}
