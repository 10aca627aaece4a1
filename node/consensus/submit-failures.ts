/** What a caller is told whose write or read could not be seen through to its end. */
import { Failure } from '../errors.ts'

export const busy = (why: string): Failure =>
  new Failure('E_BUSY', { message: 'the cluster is busy', why, try: 'try again in a moment' })

export const noLeader = (): Failure =>
  new Failure('E_NO_LEADER', {
    message: 'no leader is known',
    why: 'this node was heard by no leader since the request came; nothing was written',
    try: 'tutti status',
  })

export const noQuorum = (wasSent: boolean): Failure =>
  new Failure('E_NO_QUORUM', {
    message: 'no quorum: a majority of the voters cannot be reached from this node',
    why: wasSent
      ? 'the change may or may not come into force once they are back'
      : 'nothing was written; reads and running pods are not affected',
    try: 'tutti members, then start the voters that are missing; if they are gone for ever: tutti recover --dry-run',
  })

export const timedOut = (wasSent: boolean): Failure =>
  new Failure('E_TIMEOUT', {
    message: 'the cluster did not answer in time',
    why: wasSent ? 'the change may or may not have come into force' : 'nothing was written',
    try: 'look with tutti status, then try again',
  })

/** The cluster has gone on so far that it cannot tell whether the write was applied before. */
export const tooLate = (message: string): Failure =>
  new Failure('E_TIMEOUT', {
    message,
    why: 'this node lags behind, or did not run for a while; the change may or may not have come into force',
    try: 'look with tutti status, then try again',
  })

export const stopping = (): Failure => new Failure('E_NO_LEADER', 'this node is stopping')

/** Also used before anything is sent. */
export const tooLarge = (): Failure =>
  new Failure('E_TOO_LARGE', {
    message: 'the request is too large for the log',
    try: 'split it, or move large files out of it',
  })
