/** Finds out what the doctor judges: looks at the replica, the disk, the engine and the peers. Every look has a deadline. */
import { stat, statfs } from 'node:fs/promises'
import { createConnection } from 'node:net'
import type { NodeId, State } from '../../../scheduler/index.ts'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { ApiDeps } from '../deps.ts'
import { nameOfNode } from '../node-name.ts'
import type { PeerApi } from '../proxy.ts'
import { stateDigest } from '../state-digest.ts'
import type { Findings } from './doctor.ts'
import type { Picture } from './picture.ts'
import { toleratesCount } from './view-cluster.ts'

const ENGINE_PORT = 2375
const PORT_TIMEOUT_MS = 300
const PEER_TIMEOUT_MS = 1_500
const PEERS_ASKED_MAX = 16

export type FindingsDeps = Pick<ApiDeps, 'loopLagMs' | 'runtimeHealth' | 'node'> & {
  readonly peers: Pick<PeerApi, 'wallMs' | 'digest'>
  readonly clock: Clock
}

export const findOut = async (
  deps: FindingsDeps,
  picture: Picture,
  signal: AbortSignal,
): Promise<Findings> => {
  const { state, status, connected, self } = picture
  const { dataDirectory } = deps.node
  const address = state.nodes.get(self.id as NodeId)?.address
  const others = [...state.nodes.values()].filter(node => node.id !== self.id && node.state === 'alive')
  const asked = others.filter(node => connected.has(node.id)).slice(0, PEERS_ASKED_MAX)
  const [freeDisk, directory, runtime, openEngines, clocks, replicas] = await Promise.all([
    freeSpaceOf(dataDirectory),
    modeOf(dataDirectory),
    deps.runtimeHealth().catch(thrown => ({ isReachable: false, text: messageOf(thrown) })),
    openEnginesOn(['127.0.0.1', ...(address === undefined || address === '127.0.0.1' ? [] : [address])]),
    clocksOf(deps, asked, signal),
    replicasOf(deps, state, asked, signal),
  ])
  return {
    hasQuorum: status.hasQuorum,
    leader: status.leader === null ? null : nameOfNode(state, status.leader),
    voters: status.voters.map(id => nameOfNode(state, id)),
    toleratesCount: toleratesCount(picture),
    dead: [...state.nodes.values()].filter(node => node.state === 'dead').map(node => node.name),
    unconnected: others.filter(node => !connected.has(node.id)).map(node => node.name),
    diskFatal: status.fatal,
    lastWriteMs: status.writes?.lastMs ?? null,
    freeDisk,
    loopLagMs: deps.loopLagMs(),
    runtime,
    dataDirectory: directory,
    openEngines,
    clocks,
    replicas,
  }
}

const freeSpaceOf = async (path: string): Promise<Findings['freeDisk']> => {
  const found = await statfs(path).catch(() => null)
  return found === null ? null : { bytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize }
}

const modeOf = async (path: string): Promise<Findings['dataDirectory']> => {
  const found = await stat(path).catch(() => null)
  return found === null ? null : { path, mode: found.mode }
}

const openEnginesOn = async (hosts: readonly string[]): Promise<readonly string[]> => {
  const open = await Promise.all(hosts.map(host => isOpen(host, ENGINE_PORT)))
  return hosts.filter((_, position) => open[position]).map(host => `${host}:${ENGINE_PORT}`)
}

const isOpen = (host: string, port: number): Promise<boolean> =>
  new Promise(resolve => {
    const probe = createConnection({ host, port, timeout: PORT_TIMEOUT_MS })
    const settle = (isTaken: boolean): void => {
      probe.destroy()
      resolve(isTaken)
    }
    probe.once('connect', () => settle(true))
    probe.once('timeout', () => settle(false))
    probe.once('error', () => settle(false))
  })

type Peer = { readonly id: string; readonly name: string }

/** The answers of those peers that give one in time: the doctor names the unconnected ones elsewhere. */
const answersOf = async <Answer>(
  { clock }: FindingsDeps,
  asked: readonly Peer[],
  signal: AbortSignal,
  ask: (peer: Peer, signal: AbortSignal) => Promise<Answer>,
): Promise<readonly Answer[]> => {
  const answers = await Promise.all(
    asked.map(async peer => {
      const deadline = new AbortController()
      const giveUp = (): void => deadline.abort()
      const cancel = clock.after(PEER_TIMEOUT_MS, giveUp)
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        return [await ask(peer, deadline.signal)]
      } catch {
        return []
      } finally {
        cancel()
        signal.removeEventListener('abort', giveUp)
      }
    }),
  )
  return answers.flat()
}

const clocksOf = (
  deps: FindingsDeps,
  asked: readonly Peer[],
  signal: AbortSignal,
): Promise<Findings['clocks']> =>
  answersOf(deps, asked, signal, async (peer, deadline) => {
    const sentAtMs = deps.clock.wallMs()
    const theirsMs = await deps.peers.wallMs(peer, deadline)
    // Half the way there and back: what is left is the difference of the clocks.
    return { node: peer.name, aheadMs: theirsMs - (sentAtMs + deps.clock.wallMs()) / 2 }
  })

/** Entries come while the peers are asked, so they are compared with this node's state of before and of after. */
const replicasOf = async (
  deps: FindingsDeps,
  state: State,
  asked: readonly Peer[],
  signal: AbortSignal,
): Promise<Findings['replicas']> => {
  const before = stateDigest(state)
  const theirs = await answersOf(deps, asked, signal, async (peer, deadline) => ({
    node: peer.name,
    ...(await deps.peers.digest(peer, deadline)),
  }))
  const own = [before, stateDigest(state)]
  return theirs.flatMap(({ node, index, digest }) => {
    const mine = own.find(one => one.index === index)
    return mine === undefined ? [] : [{ node, isSame: mine.digest === digest }]
  })
}
