/**
 * The two ways into a newer epoch, as work on the disk while no core runs: founding the cluster anew from this node's log
 * after the quorum was lost for ever, and giving up what this node holds because others have done so without it. Before
 * either, what is on the disk is copied aside.
 */
import {
  type Epoch,
  emptyConfiguration,
  enteringState,
  refoundedState,
  type Status,
} from '../../../raft/index.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { RaftDeps, RecoverReply } from '../raft-protocol.ts'
import { loadStartup } from '../startup.ts'
import type { LogWrite } from '../storage.ts'
import { createStore, decodeState } from '../store.ts'

type Disk = Pick<RaftDeps, 'id' | 'logStore' | 'snapshotStore' | 'keepCopy'>

/**
 * Every entry of the log is taken for committed: those whose fate is unknown may have been acknowledged, and nobody is
 * left who could tell. The state that they make becomes the first snapshot of the new epoch, with this node as the only
 * voter. One write to the log is the turning point; a crash between the snapshot and it is finished by `chooseStart`.
 */
export const refound = async (disk: Disk, epoch: Epoch, log: Log): Promise<RecoverReply> => {
  const keptIn = await disk.keepCopy(`before-recovery-${epoch.number}-${epoch.mark}`)
  const { id, logStore, snapshotStore } = disk
  const { saved, snapshot } = await loadStartup({
    id,
    bootstrap: false,
    logStore,
    snapshotStore,
    mustWrite: false,
  })
  const store = createStore(log)
  if (snapshot !== null) store.replace(decodeState(snapshot.data))
  store.applyAll(saved.entries)
  const { index, term } = store.state()
  const meta = { index, term, configuration: { ...emptyConfiguration, voters: [id], epoch } }
  await snapshotStore.save({ meta, data: store.encoded() })
  await logStore.write(replacing(refoundedState(meta, saved.hardState.term)))
  log.warn('the cluster is founded anew from this node', { epoch: epoch.number, index, term, keptIn })
  return { type: 'done', keptIn, index, term }
}

/** The disk of a node that was left behind: it keeps its name and its work, and gets the state from the new leader. */
export const enterEpoch = async (
  disk: Disk,
  epoch: Epoch,
  left: Pick<Status, 'term' | 'lastIndex' | 'commitIndex'>,
  log: Log,
): Promise<void> => {
  const { term, lastIndex, commitIndex } = left
  // A joiner has nothing to lose.
  if (lastIndex > 0) {
    const name = `left-behind-by-recovery-${epoch.number}-${epoch.mark}`
    const keptIn = await keepCopyIfPossible(disk, name, log)
    log.warn('the cluster was recovered without this node: what is only here is discarded, and it rejoins', {
      epoch: epoch.number,
      term,
      lastIndex,
      commitIndex,
      keptIn,
    })
  }
  await disk.logStore.write(replacing(enteringState(epoch)))
}

/** A disk without room for a copy must not keep the node out of its cluster. */
const keepCopyIfPossible = async (disk: Disk, name: string, log: Log): Promise<string | null> => {
  try {
    return await disk.keepCopy(name)
  } catch (thrown) {
    log.warn('what is discarded could not be copied aside', { error: messageOf(thrown) })
    return null
  }
}

/** Everything on the disk gives way to this. */
const replacing = ({ hardState, snapshot }: ReturnType<typeof enteringState>): LogWrite => ({
  hardState,
  snapshot,
  truncateFrom: null,
  entries: [],
  compact: null,
})
