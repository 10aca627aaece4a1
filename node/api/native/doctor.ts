/** Judges what was found out about a node and its cluster. Pure: doctor-findings.ts looks, this file decides. */
import { listed } from '../node-name.ts'
import { judgeMtu, judgeReach, type View } from './doctor-pairs.ts'
import type { DoctorView } from './schema.ts'

export type Findings = {
  readonly hasQuorum: boolean
  readonly leader: string | null
  /** Names. */
  readonly voters: readonly string[]
  readonly toleratesCount: number
  /** Nodes that have not left. */
  readonly members: number
  /** Names of members that the log believes dead. */
  readonly dead: readonly string[]
  /** Nodes of the roster, this one aside, that the log believes alive and to which this node should be connected, but is not. */
  readonly unconnected: readonly string[]
  /** Which form of the log each node's program speaks. */
  readonly protocols: readonly { readonly node: string; readonly protocol: number }[]
  /** Set when the disk failed for good. */
  readonly diskFatal: string | null
  readonly lastWriteMs: number | null
  /** What it takes until a small write is on the disk, just tried; null: nothing can be written. */
  readonly sync: { readonly usualMs: number; readonly worstMs: number } | null
  /** Null where it could not be found out. */
  readonly freeDisk: { readonly bytes: number; readonly totalBytes: number } | null
  readonly loopLagMs: number
  readonly runtime: { readonly isReachable: boolean; readonly text: string }
  readonly dataDirectory: { readonly path: string; readonly mode: number } | null
  /** The addresses that others are told, and whether they take connections from here. */
  readonly listening: readonly { readonly what: string; readonly address: string; readonly isOpen: boolean }[]
  /** Addresses where a container engine's unencrypted port takes connections: `127.0.0.1:2375`. */
  readonly openEngines: readonly string[]
  /** Peers whose state is of the same entry as this node's, and whether it is the same state. */
  readonly replicas: readonly { readonly node: string; readonly isSame: boolean }[]
  /** Clock differences to the peers that told their time. */
  readonly clocks: readonly { readonly node: string; readonly aheadMs: number }[]
  /** What this node and its peers see of all others. */
  readonly views: readonly View[]
}

const SLOW_WRITE_MS = 100
const BAD_WRITE_MS = 1_000
const SLOW_LOOP_MS = 100
const BAD_LOOP_MS = 1_000
/** Token expiry and event times are wall clock; Raft and gossip do not mind. */
const CLOCK_WARNING_MS = 1_000
const CLOCK_FAILURE_MS = 60_000
const DISK_WARNING_SHARE = 0.1
const DISK_FAILURE_BYTES = 64 * 1024 * 1024
const MEBIBYTE = 1024 * 1024

type Judge = (findings: Findings) => DoctorView

const ok = (check: string, text: string): DoctorView => ({ check, state: 'ok', text, try: null })
const warning = (check: string, text: string, hint: string): DoctorView => ({
  check,
  state: 'warning',
  text,
  try: hint,
})
const failure = (check: string, text: string, hint: string): DoctorView => ({
  check,
  state: 'failure',
  text,
  try: hint,
})

const judgeQuorum: Judge = ({ hasQuorum, leader, voters, toleratesCount, members }) => {
  if (!hasQuorum)
    return failure(
      'quorum',
      voters.length === 1
        ? `the only voter, ${listed(voters)}, does not answer: writes wait`
        : `no majority of the ${voters.length} voters (${listed(voters)}) agrees: writes wait`,
      'tutti members, then start the voters that are missing; if they are gone for ever: tutti recover --dry-run',
    )
  const standing = `${voters.length === 1 ? 'one voter' : `${voters.length} voters`}, leader ${leader ?? 'unknown'}`
  if (members === 2)
    return warning(
      'quorum',
      `${standing}; of two nodes one decides: without it the other runs on, and can change nothing until tutti recover`,
      'add a third node, which makes any one of them dispensable: tutti token create',
    )
  if (toleratesCount === 0)
    return warning('quorum', `${standing}; not one more voter may fail`, 'add a node: tutti token create')
  return ok('quorum', `${standing}; ${toleratesCount} more may fail`)
}

const judgeVoters: Judge = ({ voters }) =>
  voters.length > 1 && voters.length % 2 === 0
    ? warning(
        'voters',
        `${voters.length} voters tolerate no more failures than ${voters.length - 1}`,
        'add one more node',
      )
    : ok('voters', voters.length === 1 ? 'one voter' : `an odd number of voters (${voters.length})`)

const judgeNodes: Judge = ({ dead }) =>
  dead.length > 0
    ? warning(
        'nodes',
        `${listed(dead)} ${dead.length === 1 ? 'is' : 'are'} dead`,
        `start ${dead.length === 1 ? 'it' : 'them'} again, or: tutti node rm ${dead[0]}`,
      )
    : ok('nodes', 'none is dead')

const judgePeers: Judge = ({ unconnected }) =>
  unconnected.length > 0
    ? warning(
        'peers',
        `no connection to ${listed(unconnected)}`,
        'tutti members; check the network and port 7701',
      )
    : ok('peers', 'all live nodes are connected')

const judgeDisk: Judge = ({ diskFatal, lastWriteMs }) => {
  if (diskFatal !== null)
    return failure('disk', `the disk failed: ${diskFatal}`, 'repair the disk, then start the node again')
  if (lastWriteMs === null) return ok('disk', 'nothing was written yet')
  const text = `the last durable write took ${Math.round(lastWriteMs)} ms`
  if (lastWriteMs > BAD_WRITE_MS) return failure('disk', text, 'move the data directory to a faster disk')
  if (lastWriteMs > SLOW_WRITE_MS) return warning('disk', text, 'see what else uses the disk: iostat -x 1')
  return ok('disk', text)
}

/** By trying it: a node that has nothing to write knows nothing of its disk. */
const judgeSync: Judge = ({ sync }) => {
  if (sync === null)
    return failure('disk latency', 'nothing can be written to the data directory', 'df -h · ls -ld DIRECTORY')
  const { usualMs, worstMs } = sync
  const text = `a small write is on the disk after ${Math.round(usualMs)} ms (at worst ${Math.round(worstMs)} ms)`
  if (usualMs > BAD_WRITE_MS) return failure('disk latency', text, 'move the data directory to a faster disk')
  if (usualMs > SLOW_WRITE_MS)
    return warning('disk latency', text, 'see what else uses the disk: iostat -x 1')
  return ok('disk latency', text)
}

const judgePorts: Judge = ({ listening }) => {
  const closed = listening.filter(({ isOpen }) => !isOpen)
  if (closed.length > 0)
    return failure(
      'ports',
      `nothing takes connections at ${listed(closed.map(({ what, address }) => `${address} (for ${what})`))}, which others are told`,
      'check --address and --listen, and what filters that port: ss -ltn',
    )
  const open = listening.map(({ what, address }) => `${address} for ${what}`)
  return ok('ports', `open: ${[...open, 'the unix socket for local commands'].join(', ')}`)
}

/** What only newer programs understand is not used until all do. */
const judgeProtocols: Judge = ({ protocols }) => {
  const newest = Math.max(...protocols.map(({ protocol }) => protocol))
  const older = protocols.filter(({ protocol }) => protocol < newest)
  if (older.length === 0) return ok('versions', 'all nodes speak the same protocol')
  return warning(
    'versions',
    `${listed(older.map(({ node }) => node))} still ${older.length === 1 ? 'speaks' : 'speak'} protocol ${older[0]?.protocol}, others ${newest}: what is new waits for all`,
    'upgrade them, or remove those that are gone for ever: tutti nodes -o wide',
  )
}

const judgePairs: Judge = ({ views }) => judgeReach(views)

const judgePackets: Judge = ({ views }) => judgeMtu(views)

const judgeSpace: Judge = ({ freeDisk }) => {
  if (freeDisk === null) return warning('space', 'the free space is not known', 'df -h')
  const { bytes, totalBytes } = freeDisk
  const text = `${Math.floor(bytes / MEBIBYTE)} MiB free for the data directory`
  if (bytes < DISK_FAILURE_BYTES) return failure('space', text, 'free some space: writes are about to fail')
  if (bytes < totalBytes * DISK_WARNING_SHARE)
    return warning('space', text, 'free some space, or move the data directory')
  return ok('space', text)
}

const judgeLoop: Judge = ({ loopLagMs }) => {
  const text = `the event loop was late by up to ${Math.round(loopLagMs)} ms`
  if (loopLagMs > BAD_LOOP_MS)
    return failure('event loop', text, 'give the node more CPU: elections may start without need')
  if (loopLagMs > SLOW_LOOP_MS) return warning('event loop', text, 'see what else uses the CPU: top')
  return ok('event loop', text)
}

const judgeRuntime: Judge = ({ runtime }) =>
  runtime.isReachable
    ? ok('runtime', runtime.text)
    : failure('runtime', runtime.text, 'start the container engine; running containers are not touched')

const judgeDirectory: Judge = ({ dataDirectory }) => {
  if (dataDirectory === null)
    return warning('data directory', 'its permissions are not known', 'ls -ld DIRECTORY')
  const { path, mode } = dataDirectory
  const octal = (mode & 0o777).toString(8).padStart(3, '0')
  return (mode & 0o077) === 0
    ? ok('data directory', `${path} is private (${octal})`)
    : failure(
        'data directory',
        `${path} is open to others (${octal}), and holds the node's key`,
        `chmod 700 ${path}`,
      )
}

const judgeEngines: Judge = ({ openEngines }) =>
  openEngines.length > 0
    ? failure(
        'engine port',
        `a container engine takes commands from anybody on ${listed(openEngines)}`,
        'stop the engine from listening on TCP; its unix socket is enough',
      )
    : ok('engine port', 'no container engine is open to the network')

const judgeClocks: Judge = ({ clocks }) => {
  const worst = clocks.reduce((max, { aheadMs }) => Math.max(max, Math.abs(aheadMs)), 0)
  const late = clocks.filter(({ aheadMs }) => Math.abs(aheadMs) > CLOCK_WARNING_MS)
  const text = late
    .map(
      ({ node, aheadMs }) =>
        `${node} is ${Math.round(Math.abs(aheadMs))} ms ${aheadMs > 0 ? 'ahead' : 'behind'}`,
    )
    .join(', ')
  if (worst > CLOCK_FAILURE_MS) return failure('clock', text, 'set the clocks: timedatectl set-ntp true')
  if (late.length > 0) return warning('clock', text, 'set the clocks: timedatectl set-ntp true')
  return ok(
    'clock',
    clocks.length === 0
      ? 'no other node to compare with'
      : `agrees with ${clocks.length === 1 ? 'one other node' : `${clocks.length} nodes`}`,
  )
}

const judgeReplicas: Judge = ({ replicas }) => {
  const others = replicas.filter(({ isSame }) => !isSame).map(({ node }) => node)
  if (others.length > 0)
    return failure(
      'replica',
      `${listed(others)} ${others.length === 1 ? 'has' : 'have'} another state than this node after the same entry`,
      'compare all nodes with tutti doctor; whoever differs from the most of them must join anew',
    )
  if (replicas.length === 0) return ok('replica', 'no other node is at the same entry just now')
  return ok(
    'replica',
    `the same state as ${replicas.length === 1 ? 'one other node' : `${replicas.length} nodes`}`,
  )
}

const JUDGES: readonly Judge[] = [
  judgeQuorum,
  judgeVoters,
  judgeNodes,
  judgePeers,
  judgePairs,
  judgePackets,
  judgeProtocols,
  judgeDisk,
  judgeSync,
  judgeSpace,
  judgeLoop,
  judgeRuntime,
  judgeDirectory,
  judgePorts,
  judgeEngines,
  judgeClocks,
  judgeReplicas,
]

export const diagnose = (findings: Findings): readonly DoctorView[] => JUDGES.map(judge => judge(findings))
