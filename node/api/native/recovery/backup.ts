/** The whole state as JSON lines: a head that says what it is, then the encoded bytes in pieces. What it holds is secret. */
import { digestOf, type State, snapshotOf } from '../../../../scheduler/index.ts'
import { encode } from '../../../codec.ts'
import type { ConsensusStatus } from '../../../consensus/consensus.ts'
import { Failure } from '../../../errors.ts'
import type { NodeFacts } from '../../deps.ts'
import type { BackupHead, BackupLine, Readmission } from '../schema.ts'

/** As text a third longer, and far below the limits of a line and of a frame between nodes. */
const PIECE_BYTES = 128 * 1024

/** Everything is read before the first line leaves: later changes of the state are not in it. */
export const backupOf = (
  state: State,
  { epoch }: Pick<ConsensusStatus, 'epoch'>,
  node: NodeFacts,
  nowMs: number,
): AsyncIterable<BackupLine> => {
  const { cluster, index, term } = state
  if (cluster === null)
    throw new Failure('E_CONFLICT', { message: 'this node belongs to no cluster yet', try: 'tutti status' })
  const bytes = Buffer.from(encode(snapshotOf(state)))
  const head: BackupHead = {
    type: 'head',
    clusterId: cluster.id,
    clusterName: cluster.name,
    index,
    term,
    epoch: epoch.number,
    takenAtMs: nowMs,
    takenBy: node.name,
    version: node.version,
    digest: digestOf(state),
    bytes: bytes.byteLength,
  }
  return linesOf(head, bytes)
}

/** What a member that lost its log begins again with. Throws E_NO_LEADER when this node leads no more. */
export const readmissionOf = (
  state: State,
  status: ConsensusStatus,
  node: NodeFacts,
  nowMs: number,
): AsyncIterable<BackupLine | Readmission> => {
  const { role, term, voters, learners, epoch } = status
  if (role !== 'leader' || status.isJoint)
    throw new Failure('E_NO_LEADER', { message: 'the leader has just changed', try: 'the same again' })
  const readmission: Readmission = { type: 'readmission', leader: node.id, term, voters, learners, epoch }
  return (async function* () {
    yield readmission
    yield* backupOf(state, status, node, nowMs)
  })()
}

async function* linesOf(head: BackupHead, bytes: Buffer): AsyncGenerator<BackupLine> {
  yield head
  for (let offset = 0; offset < bytes.byteLength; offset += PIECE_BYTES)
    yield { type: 'piece', base64: bytes.toString('base64', offset, offset + PIECE_BYTES) }
}
