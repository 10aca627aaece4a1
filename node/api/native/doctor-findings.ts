/** Finds out what the doctor judges: looks at the replica, the disk, the ports, the engine and the peers. Every look has a deadline. */
import { protocolOf, type State } from '../../../scheduler/index.ts'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { ApiDeps } from '../deps.ts'
import { nameOfNode } from '../node-name.ts'
import type { Peer, PeerApi } from '../proxy.ts'
import { stateDigest } from '../state-digest.ts'
import { PEERS_ASKED_MAX, within } from '../survey.ts'
import type { Survey } from '../survey-message.ts'
import type { Findings } from './doctor.ts'
import { freeSpaceOf, listeningOn, modeOf, openEnginesOn, syncPaceOf } from './doctor-looks.ts'
import type { View } from './doctor-pairs.ts'
import type { Picture } from './picture.ts'
import { toleratesCount } from './view-cluster.ts'

const PEER_TIMEOUT_MS = 1_500
/** A peer looks at its own peers first. */
const SURVEY_TIMEOUT_MS = 3_000
/** The quickest answer of a few tells the time best. */
const CLOCK_TRIES = 3

export type FindingsDeps = Pick<ApiDeps, 'loopLagMs' | 'runtimeHealth' | 'node'> & {
  readonly peers: Pick<PeerApi, 'wallMs' | 'digest' | 'survey'>
  survey(): Promise<Survey>
  readonly clock: Clock
}

export const findOut = async (
  deps: FindingsDeps,
  picture: Picture,
  signal: AbortSignal,
): Promise<Findings> => {
  const { state, status, missing, self } = picture
  const { dataDirectory } = deps.node
  const own = [...state.nodes.values()].find(node => node.id === self.id)
  const others = [...state.nodes.values()].filter(node => node.id !== self.id && node.state === 'alive')
  const asked = others.filter(node => !missing.has(node.id)).slice(0, PEERS_ASKED_MAX)
  const hosts = [own, ...asked].flatMap(node => node?.address ?? [])
  const [freeDisk, directory, sync, runtime, openEngines, listening, clocks, replicas, views] =
    await Promise.all([
      freeSpaceOf(dataDirectory),
      modeOf(dataDirectory),
      syncPaceOf(dataDirectory, deps.clock),
      deps.runtimeHealth().catch(thrown => ({ isReachable: false, text: messageOf(thrown) })),
      openEnginesOn(['127.0.0.1', ...hosts]),
      listeningOn([
        ...(own === undefined ? [] : [{ what: 'peers', address: own.peerAddress }]),
        ...(own?.apiAddress == null ? [] : [{ what: 'the API', address: own.apiAddress }]),
      ]),
      clocksOf(deps, asked, signal),
      replicasOf(deps, state, asked, signal),
      viewsOf(deps, asked, signal),
    ])
  return {
    hasQuorum: status.hasQuorum,
    leader: status.leader === null ? null : nameOfNode(state, status.leader),
    voters: status.voters.map(id => nameOfNode(state, id)),
    toleratesCount: toleratesCount(picture),
    members: [...state.nodes.values()].filter(node => node.state !== 'left').length,
    dead: [...state.nodes.values()].filter(node => node.state === 'dead').map(node => node.name),
    unconnected: others.filter(node => missing.has(node.id)).map(node => node.name),
    protocols: protocolsOf(state),
    diskFatal: status.fatal,
    lastWriteMs: status.writes?.lastMs ?? null,
    sync,
    freeDisk,
    loopLagMs: deps.loopLagMs(),
    runtime,
    dataDirectory: directory,
    listening,
    openEngines,
    clocks,
    replicas,
    views,
  }
}

const protocolsOf = (state: State): Findings['protocols'] =>
  [...state.nodes.values()]
    .filter(node => node.state !== 'left')
    .map(node => ({ node: node.name, protocol: protocolOf(node) }))

/** The answers of those peers that give one in time: the doctor names the unconnected ones elsewhere. */
const answersOf = async <Answer>(
  {
    clock,
    signal,
    timeoutMs,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs: number },
  asked: readonly Peer[],
  ask: (peer: Peer, signal: AbortSignal) => Promise<Answer>,
): Promise<readonly Answer[]> => {
  const answers = await Promise.all(
    asked.map(async peer => {
      try {
        return [await within(clock, timeoutMs, deadline => ask(peer, AbortSignal.any([deadline, signal])))]
      } catch {
        return []
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
  answersOf({ clock: deps.clock, signal, timeoutMs: PEER_TIMEOUT_MS }, asked, async (peer, deadline) => {
    let best = { tookMs: Number.POSITIVE_INFINITY, aheadMs: 0 }
    for (let tries = 0; tries < CLOCK_TRIES; tries++) {
      const [sentAtMs, startedMs] = [deps.clock.wallMs(), deps.clock.monotonicMs()]
      const theirsMs = await deps.peers.wallMs(peer, deadline)
      const tookMs = deps.clock.monotonicMs() - startedMs
      // Half the way there and back: what is left is the difference of the clocks.
      const aheadMs = theirsMs - (sentAtMs + deps.clock.wallMs()) / 2
      if (tookMs < best.tookMs) best = { tookMs, aheadMs }
    }
    return { node: peer.name, aheadMs: best.aheadMs }
  })

/** Entries come while the peers are asked, so they are compared with this node's state of before and of after. */
const replicasOf = async (
  deps: FindingsDeps,
  state: State,
  asked: readonly Peer[],
  signal: AbortSignal,
): Promise<Findings['replicas']> => {
  const before = stateDigest(state)
  const options = { clock: deps.clock, signal, timeoutMs: PEER_TIMEOUT_MS }
  const theirs = await answersOf(options, asked, async (peer, deadline) => ({
    node: peer.name,
    ...(await deps.peers.digest(peer, deadline)),
  }))
  const own = [before, stateDigest(state)]
  return theirs.flatMap(({ node, index, digest }) => {
    const mine = own.find(one => one.index === index)
    return mine === undefined ? [] : [{ node, isSame: mine.digest === digest }]
  })
}

/** What this node and its peers see of all others. Peers one version back cannot be asked. */
const viewsOf = async (
  deps: FindingsDeps,
  asked: readonly Peer[],
  signal: AbortSignal,
): Promise<readonly View[]> => {
  const options = { clock: deps.clock, signal, timeoutMs: SURVEY_TIMEOUT_MS }
  const [own, theirs] = await Promise.all([
    deps.survey(),
    answersOf(options, asked, async (peer, deadline) => ({
      from: peer.name,
      ...(await deps.peers.survey(peer, deadline)),
    })),
  ])
  return [{ from: deps.node.name, ...own }, ...theirs]
}
