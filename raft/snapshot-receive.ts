// A follower collects a snapshot from the leader and, when the embedder vouches for it, begins anew from it.
import assert from 'node:assert'
import type { Core } from './core.ts'
import type { InstallSnapshot } from './message.ts'
import type { NodeId, SnapshotMetadata } from './saved.ts'
import { startReceiver } from './snapshot.ts'

/** One chunk. Whatever it holds, the answer says from which byte to go on. */
export const onInstallSnapshot = (core: Core, from: NodeId, message: InstallSnapshot): void => {
  const { snapshot, offset, data, isLast } = message
  if (isObsolete(core, snapshot)) return catchUp(core, from, snapshot)

  if (core.receiving?.term !== message.term || core.receiving.snapshot.index !== snapshot.index)
    core.receiving = startReceiver(message.term, snapshot)
  const { receiving } = core

  const isExpected = offset === receiving.offset && !receiving.isComplete
  if (isExpected && (data.length > 0 || isLast)) {
    core.outbox.snapshotWrites.push({ snapshot, offset, data, isLast })
    receiving.offset += data.length
    receiving.isComplete = isLast
  }
  const nextOffset = receiving.offset
  core.send(from, { type: 'snapshotProgress', term: core.term, index: snapshot.index, nextOffset })
}

/** The embedder has all bytes and found them sound. */
export const onSnapshotReceived = (core: Core, index: number): void => {
  const { receiving } = core
  // An earlier leader's may have come whole while this one's is on its way; it will be kept again.
  if (receiving?.snapshot.index !== index || !receiving.isComplete) return
  core.receiving = null
  const { snapshot } = receiving
  if (isObsolete(core, snapshot)) {
    if (core.leader !== null && core.role === 'follower') catchUp(core, core.leader, snapshot)
    return
  }
  install(core, snapshot)
  if (core.leader !== null && core.role === 'follower')
    core.promise(core.leader, { type: 'appended', term: core.term, match: snapshot.index })
}

export const onSnapshotReceiveFailed = (core: Core, index: number): void => {
  if (core.receiving?.snapshot.index === index) core.receiving = null
}

/** A snapshot never takes the place of a log that already has what it holds. */
const isObsolete = (core: Core, snapshot: SnapshotMetadata): boolean =>
  snapshot.index <= core.commitIndex || core.log.has(snapshot.index, snapshot.term)

const catchUp = (core: Core, leader: NodeId, snapshot: SnapshotMetadata): void => {
  core.commitTo(snapshot.index)
  core.promise(leader, { type: 'appended', term: core.term, match: core.commitIndex })
}

const install = (core: Core, snapshot: SnapshotMetadata): void => {
  assert(snapshot.index > core.commitIndex, 'a snapshot only moves forward')
  core.log.reset(snapshot)
  core.writes.replaced(snapshot, core.commitIndex)
  core.commitIndex = snapshot.index
  core.handedIndex = snapshot.index
  core.outbox.install = snapshot
  core.fact({ type: 'snapshotInstalled', index: snapshot.index, term: snapshot.term })
  core.fact({
    type: 'configurationChanged',
    index: snapshot.index,
    configuration: snapshot.configuration,
  })
}
