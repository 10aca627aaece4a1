/**
 * What nobody caught. libp2p throws out of its own event handlers when a stream or connection ends while somebody still
 * writes to it: that is news of a peer, told elsewhere too, and no reason to end. Anything else is a bug, after which
 * nothing is known: the node stops in order, and its containers run on.
 */
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'

/** Names of errors of libp2p, and of a wait that was given up. */
const NEWS_OF_A_PEER: ReadonlySet<string> = new Set([
  'AbortError',
  'ConnectionClosedError',
  'ConnectionClosingError',
  'ConnectionFailedError',
  'MaxEarlyStreamsError',
  'MuxerClosedError',
  'StreamAbortedError',
  'StreamBufferError',
  'StreamClosedError',
  'StreamResetError',
  'StreamStateError',
  'TimeoutError',
  'TooManyInboundProtocolStreamsError',
  'TooManyOutboundProtocolStreamsError',
])

export type GuardedProcess = {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown
  off(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown
}

/** Until the returned function is called. `onFatal` may be told more than once. */
export const guardProcess = (
  guarded: GuardedProcess,
  { log, onFatal }: { readonly log: Log; readonly onFatal: (reason: string) => void },
): (() => void) => {
  const judge = (thrown: unknown): void => {
    const facts = { error: messageOf(thrown), stack: thrown instanceof Error ? thrown.stack : undefined }
    if (thrown instanceof Error && NEWS_OF_A_PEER.has(thrown.name))
      return log.debug('a stream ended while it was written to', facts)
    log.error('nobody caught this', facts)
    onFatal(messageOf(thrown))
  }
  guarded.on('uncaughtException', judge)
  guarded.on('unhandledRejection', judge)
  return () => {
    guarded.off('uncaughtException', judge)
    guarded.off('unhandledRejection', judge)
  }
}
