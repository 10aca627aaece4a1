// The leader keeps its peers' logs like its own: what to send each of them, and what their answers mean.
import type { Core } from './core.ts'
import { entryBytes } from './log.ts'
import type { Appended, AppendRejected } from './message.ts'
import type { Progress } from './progress.ts'
import type { NodeId } from './saved.ts'
import { startSnapshot } from './snapshot-send.ts'

/** Send every peer that the leader feeds what it lacks, as far as its window allows. */
export const replicateToAll = (core: Core): void => {
  for (const [peer, progress] of core.fed) replicate(core, peer, progress)
}

/** As many appends as the peer's window takes, and the news of a commit with the entries or without. */
export const replicate = (core: Core, to: NodeId, progress: Progress): void => {
  while (!progress.isPaused && (progress.next <= core.log.lastIndex || progress.state === 'probe'))
    if (!sendAppend(core, to, progress)) return
  if (!progress.isPaused && progress.commitTold < core.commitIndex)
    sendEmptyAppend(core, to, progress, { isNews: true })
}

/**
 * An append without entries: it carries the commit index, and a gap that lost messages left shows in the answer. As mere news
 * it is answered only then: what the peer has is told with its answers to what it was sent.
 */
const sendEmptyAppend = (
  core: Core,
  to: NodeId,
  progress: Progress,
  { isNews } = { isNews: false },
): void => {
  const prevTerm = core.log.termAt(progress.next - 1)
  if (progress.state !== 'replicate' || prevTerm === null) return
  core.send(to, {
    type: 'append',
    term: core.term,
    prevIndex: progress.next - 1,
    prevTerm,
    entries: [],
    commit: core.commitIndex,
    ...(isNews ? { isNews } : {}),
  })
  progress.commitTold = core.commitIndex
}

/** A peer is alive: probe it again, and find out what became of unanswered appends. */
export const onPeerAlive = (core: Core, peer: NodeId, progress: Progress): void => {
  progress.isProbePaused = false
  if (progress.state === 'relay') return
  if (progress.match === core.log.lastIndex && progress.state === 'replicate') return
  // What is under way may be lost, and compaction may have taken away the place to go on from.
  if (core.log.termAt(progress.next - 1) === null) suspectLoss(core, peer)
  if (progress.isWindowFull || progress.next > core.log.lastIndex) sendEmptyAppend(core, peer, progress)
  replicate(core, peer, progress)
}

/** A peer's disk holds our log up to `match`. Returns whether the quorum may have moved. */
export const onAppended = (core: Core, from: NodeId, message: Appended): boolean => {
  const progress = core.peers.get(from)!
  const isNews = progress.advance(message.match)
  if (progress.transfer !== null && endsTransfer(core, progress)) {
    core.fact({ type: 'snapshotDelivered', to: from, index: progress.transfer.snapshot.index })
    enterReplicate(core, from, progress)
  } else if (progress.state === 'probe' && progress.match === message.match) {
    enterReplicate(core, from, progress)
  }
  replicate(core, from, progress)
  return isNews
}

/** The peer's log differs before what we sent: find where the two agree, one term at a time (paper §5.3). */
export const onAppendRejected = (core: Core, from: NodeId, message: AppendRejected): void => {
  const progress = core.peers.get(from)!
  if (progress.state === 'snapshot' || progress.state === 'relay') return
  const possibleMatch = core.log.lastPossibleMatch(message.hintIndex, message.hintTerm)
  if (!progress.retreat(message.prevIndex, possibleMatch)) return
  if (progress.state === 'replicate') enterProbe(core, from, progress)
  replicate(core, from, progress)
}

/** The leader feeds a peer itself that got the log through relays, and gives it time before it tries these again. */
export const takeBack = (core: Core, peer: NodeId, progress: Progress): void => {
  core.fed.set(peer, progress)
  progress.ticksSinceTakenBack = 0
  enterProbe(core, peer, progress)
  endOrder(core, peer)
  replicate(core, peer, progress)
}

/** It need not pull any more. */
export const endOrder = (core: Core, to: NodeId): void =>
  core.send(to, { type: 'assignUpstreams', term: core.term, upstreams: [], reportTicks: 0, patienceTicks: 0 })

/** Stop streaming to a peer until it answers. */
export const suspectLoss = (core: Core, peer: NodeId): void => {
  const progress = core.peers.get(peer)
  if (progress?.state === 'replicate') enterProbe(core, peer, progress)
  if (progress?.state === 'relay') takeBack(core, peer, progress)
}

/**
 * The snapshot has arrived, or the peer has come within reach of the log in another way. Our log may have been
 * compacted past the snapshot meanwhile; then the next one follows.
 */
const endsTransfer = (core: Core, { match, transfer }: Progress): boolean =>
  match >= transfer!.snapshot.index || core.log.termAt(match) !== null

const enterProbe = (core: Core, peer: NodeId, progress: Progress): void => {
  progress.becomeProbe()
  core.fact({ type: 'peerStateChanged', peer, state: 'probe' })
}

const enterReplicate = (core: Core, peer: NodeId, progress: Progress): void => {
  progress.becomeReplicate()
  core.fact({ type: 'peerStateChanged', peer, state: 'replicate' })
}

/** One append from `progress.next`, or the start of a snapshot when the log no longer reaches back so far. */
const sendAppend = (core: Core, to: NodeId, progress: Progress): boolean => {
  const prevIndex = progress.next - 1
  const prevTerm = core.log.termAt(prevIndex)
  if (prevTerm === null) {
    startSnapshot(core, to, progress)
    return false
  }
  const entries = core.log.slice(progress.next, core.log.lastIndex, core.options.appendBytesMax)
  core.send(to, {
    type: 'append',
    term: core.term,
    prevIndex,
    prevTerm,
    entries,
    commit: core.commitIndex,
  })
  progress.commitTold = core.commitIndex
  progress.sent(
    entries.length,
    entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
  )
  return true
}
