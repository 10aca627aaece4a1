/** Views of the cluster: status, nodes, members, raft. */
import { lossesOf, type Node, type NodeId, probationLeftMs, protocolOf } from '../../../scheduler/index.ts'
import type { ConsensusStatus } from '../../consensus/consensus.ts'
import { diskMsOf } from '../../control/disk-word.ts'
import { skewMsOf } from '../../control/health/clock-word.ts'
import type { Health } from '../../control/health/health.ts'
import { healthOfAll } from '../../control/health/health-of-all.ts'
import { nameOfNode } from '../node-name.ts'
import { stateDigest } from '../state-digest.ts'
import type { Picture } from './picture.ts'
import type { DigestView, MemberView, NodeView, RaftView, StatusView } from './schema.ts'
import { workloadsView } from './view-workloads.ts'

/** What the log has decided, softened by what gossip suspects: its verdict counts once the leader has committed it. */
const stateOf = ({ members }: Picture, node: Node): NodeView['state'] => {
  if (node.state !== 'alive') return node.state
  const believed = members.get(node.id)?.state
  return believed === undefined || believed === 'alive' ? 'alive' : 'suspect'
}

const roleOf = ({ status }: Picture, id: string): NodeView['role'] => {
  if (status.leader === id) return 'leader'
  return status.voters.includes(id) ? 'voter' : 'learner'
}

/** By name; nodes that have left come last. */
export const nodesView = (picture: Picture): readonly NodeView[] => {
  const health = healthOfAll(picture.state, picture.members, picture.nowMs)
  return [...picture.state.nodes.values()]
    .sort((a, b) => Number(a.state === 'left') - Number(b.state === 'left') || compareText(a.name, b.name))
    .map(node => ({ ...nodeView(picture, node), ...conditionOf(picture, node, health.get(node.id)) }))
}

const nodeView = (picture: Picture, node: Node): NodeView => {
  const { state } = picture
  const pods = [...(state.podsByNode.get(node.id) ?? [])].map(id => state.pods.get(id)!)
  return {
    id: node.id,
    name: node.name,
    address: node.address,
    peerAddress: node.peerAddress,
    apiAddress: node.apiAddress,
    state: stateOf(picture, node),
    role: roleOf(picture, node.id),
    schedulable: node.schedulable,
    runtime: node.runtime,
    labels: node.labels,
    capacity: node.capacity,
    reserved: {
      cpuMillis: pods.reduce((sum, pod) => sum + pod.resources.cpuMillis, 0),
      memoryBytes: pods.reduce((sum, pod) => sum + pod.resources.memoryBytes, 0),
    },
    pods: pods.length,
    version: node.version,
  }
}

/** How far a node is to be relied on, and why. */
const conditionOf = (
  { members, nowMs }: Picture,
  node: Node,
  health: Health | undefined,
): Partial<NodeView> => {
  const leftMs = probationLeftMs(node, nowMs)
  const member = members.get(node.id)
  return {
    protocol: protocolOf(node),
    probationMs: leftMs > 0 ? leftMs : null,
    losses: lossesOf(node, nowMs),
    ailing: node.ailing ?? null,
    health: health?.score ?? null,
    ailments: health?.ailments ?? [],
    diskMs: diskMsOf(member),
    skewMs: skewMsOf(member),
  }
}

/** How many more voters may die before writes stop: those that answer beyond a majority. */
export const toleratesCount = (picture: Picture): number => {
  const { status } = picture
  if (!status.hasQuorum) return 0
  const majority = Math.floor(status.voters.length / 2) + 1
  return Math.max(0, livingVoters(picture).length - majority)
}

/** Voters that neither the log nor gossip believes dead. */
export const livingVoters = ({ status, state, members }: Picture): readonly string[] =>
  status.voters.filter(id => {
    const isDecided = state.nodes.get(id as NodeId)?.state ?? 'alive'
    const believed = members.get(id)?.state ?? 'alive'
    return isDecided === 'alive' && (believed === 'alive' || believed === 'suspect')
  })

export const statusView = (picture: Picture): StatusView => {
  const { state, status, self } = picture
  const nodes = nodesView(picture).filter(node => node.state !== 'left')
  const workloads = workloadsView(picture)
  return {
    cluster: state.cluster?.name ?? '',
    clusterId: state.cluster?.id ?? '',
    node: self.name,
    nodeId: self.id,
    leader: status.leader === null ? null : nameOfNode(state, status.leader),
    term: status.term,
    index: state.index,
    voters: status.voters.map(id => nameOfNode(state, id)).sort(compareText),
    hasQuorum: status.hasQuorum,
    toleratesCount: toleratesCount(picture),
    ageMs: roundOrNull(status.ageMs),
    ...writesOf(status),
    unfit: status.unfit,
    nodes: { alive: nodes.filter(node => node.state === 'alive').length, total: nodes.length },
    pods: {
      healthy: workloads.reduce((sum, workload) => sum + workload.healthy, 0),
      wanted: workloads.reduce((sum, workload) => sum + workload.wanted, 0),
    },
    version: self.version,
    runtime: self.runtime,
    uptimeMs: picture.uptimeMs,
  }
}

/** What gossip knows, and nodes of the roster that it does not know (yet, or any more). */
export const membersView = (picture: Picture): readonly MemberView[] => {
  const { state, members, connected, missing, self, status } = picture
  const seats = status.role === 'leader' ? picture.seats() : new Map<string, string>()
  const known = [...members.values()].map(member => ({
    id: member.id,
    name: nameOfNode(state, member.id),
    state: member.state,
    incarnation: member.incarnation,
    addresses: member.addresses,
    isConnected: member.id === self.id || connected.has(member.id),
    isMissing: missing.has(member.id),
    ...partOf(picture, member.id),
    seat: seats.get(member.id) ?? null,
  }))
  const unknown = [...state.nodes.values()]
    .filter(node => !members.has(node.id))
    .map(node => ({
      id: node.id,
      name: node.name,
      state: node.state,
      incarnation: 0,
      addresses: [node.peerAddress],
      isConnected: connected.has(node.id),
      isMissing: missing.has(node.id),
      ...partOf(picture, node.id),
      seat: seats.get(node.id) ?? null,
    }))
  return [...known, ...unknown].sort((a, b) => compareText(a.name, b.name))
}

/** What a node counts for in the quorum. */
const partOf = (picture: Picture, id: string): Pick<MemberView, 'vote' | 'diskMs'> => {
  const { status, members } = picture
  const isVoter = status.voters.includes(id)
  const other = status.learners.includes(id) ? 'learns' : 'none'
  return {
    vote: isVoter ? (livingVoters(picture).includes(id) ? 'counts' : 'missing') : other,
    diskMs: diskMsOf(members.get(id)),
  }
}

export const raftView = ({ state, status, self, members }: Picture): RaftView => ({
  node: self.name,
  role: status.role,
  leader: status.leader === null ? null : nameOfNode(state, status.leader),
  term: status.term,
  epoch: status.epoch.number,
  lastIndex: status.lastIndex,
  lastTerm: status.lastTerm,
  commitIndex: status.commitIndex,
  appliedIndex: status.appliedIndex,
  snapshotIndex: status.snapshotIndex,
  voters: status.voters.map(id => nameOfNode(state, id)),
  learners: status.learners.map(id => nameOfNode(state, id)),
  isJoint: status.isJoint,
  hasQuorum: status.hasQuorum,
  ageMs: roundOrNull(status.ageMs),
  ...writesOf(status),
  unfit: status.unfit,
  fatal: status.fatal,
  followers: status.followers.map(follower => ({
    ...follower,
    name: nameOfNode(state, follower.id),
    diskMs: diskMsOf(members.get(follower.id)),
  })),
})

const writesOf = ({ writes }: ConsensusStatus) => ({
  lastWriteMs: writes?.lastMs ?? null,
  usualWriteMs: writes?.usualMs ?? null,
  worstWriteMs: writes?.worstMs ?? null,
})

export const digestView = ({ state, self }: Picture): DigestView => ({
  node: self.name,
  ...stateDigest(state),
})

const roundOrNull = (value: number | null): number | null => (value === null ? null : Math.round(value))

/** By code unit: the same order on every machine, whatever its locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
