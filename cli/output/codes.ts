/** What each error code means and what helps in general: for `tutti explain E_…`, and where an error brings no advice of its own. */
import { ERRORS, type ErrorCode } from '../../node/errors.ts'

export type Meaning = { readonly means: string; readonly try: string | null }

const NEW_TOKEN = 'on any member: tutti token create'

const MEANINGS: Readonly<Record<ErrorCode, Meaning>> = {
  E_INVALID: {
    means: 'The request or file holds a field or value that cannot be meant. Nothing was changed.',
    try: null,
  },
  E_USAGE: { means: 'The command line cannot be understood. Nothing was sent.', try: 'tutti VERB --help' },
  E_AUTH: {
    means: 'The node does not know who asks: the API token is missing or wrong.',
    try: 'tutti login https://HOST:7700, with a token made by: tutti token create --role viewer',
  },
  E_FORBIDDEN: {
    means: 'The token is known, but its role, its permissions or its namespace do not allow this.',
    try: 'a token that may: tutti token create --role operator, perhaps with --allow PERMISSION',
  },
  E_NOT_FOUND: { means: 'There is nothing of that name.', try: 'tutti jobs · tutti ps · tutti nodes' },
  E_CONFLICT: {
    means: 'Something changed in between, or is under way; what was asked no longer fits.',
    try: 'look again, then repeat the command',
  },
  E_STALE_PLAN: {
    means: 'A plan was made on an older state and was refused whole.',
    try: 'repeat the command',
  },
  E_NAME_TAKEN: { means: 'A node of that name is already a member.', try: 'choose another --name' },
  E_VERSION: {
    means:
      'Tutti on this node is too old or too new for the cluster: it bears two neighbouring versions at a time.',
    try: 'install a version within one of what tutti nodes -o wide shows',
  },
  E_ALREADY_INITIALISED: {
    means: 'The cluster exists already.',
    try: 'join it: tutti start --join HOST:PORT --token …',
  },
  E_NODE_LEFT: {
    means: 'This node left or was removed; its identity never comes back.',
    try: 'start with an empty --data directory and a new token',
  },
  E_LOG_LOST: {
    means: 'A member lost its log and kept its key; it may have voted, so it is not simply admitted again.',
    try: 'tutti repair --join HOST:PORT --token TOKEN with the same --data',
  },
  E_JOIN_TOKEN_UNKNOWN: { means: 'No member knows this join token.', try: NEW_TOKEN },
  E_JOIN_TOKEN_EXPIRED: {
    means: 'The join token was valid for a limited time, which is over.',
    try: NEW_TOKEN,
  },
  E_JOIN_TOKEN_SPENT: { means: 'The join token has no uses left.', try: NEW_TOKEN },
  E_JOIN_TOKEN_REVOKED: { means: 'The join token was revoked.', try: NEW_TOKEN },
  E_JOIN_TOKEN_MALFORMED: {
    means: 'The text is not a join token; part of it may be missing.',
    try: 'copy the whole line that tutti token create prints',
  },
  E_JOIN_WRONG_CLUSTER: {
    means: 'The node that answered does not hold the key that the token pins. The secret was not sent.',
    try: 'check the address and take a token of that cluster',
  },
  E_TOO_LARGE: { means: 'The input is larger than what is read at all.', try: null },
  E_BUSY: {
    means: 'The node has more work waiting than it takes.',
    try: 'wait a moment, then repeat the command',
  },
  E_NO_LEADER: {
    means:
      'No leader is known now: an election is under way, or too few voters are reachable. Running containers keep running; reads show their age.',
    try: 'tutti raft · then start the missing nodes',
  },
  E_NO_QUORUM: {
    means:
      'Fewer than half of the voters are reachable, so nothing can be decided. Running containers keep running; reads show their age.',
    try: 'start the missing nodes, or heal the network between them; if they are gone for ever: tutti recover',
  },
  E_UNREACHABLE: {
    means: 'No node took the connection, or the node that was asked for did not answer.',
    try: 'tutti doctor',
  },
  E_TIMEOUT: {
    means: 'The time ran out before it was done. A write may still be applied; repeating it is safe.',
    try: 'a longer --timeout',
  },
  E_PORT_IN_USE: {
    means: 'Another program listens on the address.',
    try: 'another port: --listen HOST:PORT, --api HOST:PORT',
  },
  E_DISK_FULL: {
    means: 'The disk that holds the data directory is full. The node writes and votes no more.',
    try: 'make room, then start the node again',
  },
  E_DISK_DAMAGED: {
    means: 'Data on disk does not match its checksum. The node refuses to guess.',
    try: 'tutti repair, which fetches the state anew from the other nodes',
  },
  E_DISK_FAILED: {
    means: 'The data directory cannot be read or written.',
    try: 'check its owner, mode and mount',
  },
  E_RUNTIME_UNAVAILABLE: {
    means: 'The container engine does not answer.',
    try: 'start the engine, or use --runtime process',
  },
  E_IMAGE_MISSING: {
    means: 'The image is not on the node and cannot be pulled.',
    try: 'check its name and tag',
  },
  E_COMMAND_INVALID: {
    means: 'The command cannot be started.',
    try: 'check its path and that it may be executed',
  },
  E_NAME_IN_USE: { means: 'The container engine already has a container of that name.', try: null },
  E_PLACEMENT: {
    means: 'No node can take the pod: each was ruled out by a constraint, by its resources or its ports.',
    try: 'tutti explain WORKLOAD',
  },
  E_DEPLOY_FAILED: { means: 'Pods of the new generation failed.', try: 'tutti ps · tutti logs WORKLOAD' },
  E_INTERNAL: { means: 'A fault in Tutti itself, or an answer that makes no sense.', try: 'tutti doctor' },
}

export const meaningOf = (code: ErrorCode): Meaning => MEANINGS[code]

/** All codes, for completion and guesses. */
export const errorCodes = (): readonly ErrorCode[] => Object.keys(ERRORS) as ErrorCode[]
