/**
 * A log whose first write counts only once the node's record says that this disk holds a log. Otherwise a node could
 * promise something, lose its log before the record knew of it, and come back as one that never promised anything.
 */
import type { LogStore } from './consensus/storage.ts'

/** `record` makes the record durable. When it fails the write fails with it, and the next write tries again. */
export const recordedLog = (store: LogStore, record: () => Promise<void>): LogStore => {
  let isRecorded = false
  let recording: Promise<void> | null = null

  const recordOnce = (): Promise<void> => {
    recording ??= record().then(
      () => {
        isRecorded = true
      },
      thrown => {
        recording = null
        throw thrown
      },
    )
    return recording
  }

  return {
    ...store,
    // Log first: a record of a log that a crash has prevented would be taken for damage.
    write: write => (isRecorded ? store.write(write) : store.write(write).then(recordOnce)),
  }
}
