/** `tutti raft`: the state of agreement, and on the leader how far each follower trails. */
import type { RaftView } from '../../node/api/native/schema.ts'
import type { Command } from '../command.ts'
import { print } from '../list.ts'
import { type Column, table } from '../output/table.ts'

const msText = (ms: number | null): string | null => (ms === null ? null : `${ms.toFixed(1)}ms`)

const columns: readonly Column<RaftView>[] = [
  { title: 'NODE', cell: raft => raft.node },
  { title: 'ROLE', cell: raft => raft.role, as: 'state' },
  { title: 'LEADER', cell: raft => raft.leader },
  { title: 'TERM', cell: raft => raft.term },
  { title: 'COMMIT', cell: raft => raft.commitIndex },
  { title: 'APPLIED', cell: raft => raft.appliedIndex },
  { title: 'LAST', cell: raft => raft.lastIndex },
  { title: 'SNAPSHOT', cell: raft => raft.snapshotIndex },
  { title: 'QUORUM', cell: raft => (raft.hasQuorum ? 'ok' : 'lost'), as: 'state' },
  { title: 'AGE', cell: raft => (raft.ageMs === null ? null : `${raft.ageMs}ms`) },
  { title: 'WRITE', cell: raft => msText(raft.lastWriteMs) },
  { title: 'WORST', cell: raft => msText(raft.worstWriteMs) },
  { title: 'USUAL', cell: raft => msText(raft.usualWriteMs), isWide: true },
  { title: 'UNFIT', cell: raft => raft.unfit, as: 'state', isWide: true },
  { title: 'VOTERS', cell: raft => `${raft.voters.join(',')}${raft.isJoint ? ' (changing)' : ''}` },
  { title: 'EPOCH', cell: raft => raft.epoch, isWide: true },
  { title: 'LEARNERS', cell: raft => raft.learners.join(','), isWide: true },
]

type Follower = RaftView['followers'][number]

const followerColumns = (lastIndex: number): readonly Column<Follower>[] => [
  { title: 'FOLLOWER', cell: follower => follower.name },
  { title: 'ROLE', cell: follower => follower.role },
  { title: 'PROGRESS', cell: follower => follower.progress },
  { title: 'MATCH', cell: follower => follower.match },
  { title: 'TRAILS BY', cell: follower => Math.max(0, lastIndex - follower.match) },
  {
    title: 'HEARD',
    cell: follower =>
      follower.lastContactMs === null ? 'never' : `${Math.round(follower.lastContactMs)}ms ago`,
  },
  { title: 'DISK', cell: follower => (follower.diskMs === null ? null : `~${follower.diskMs}ms`) },
]

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti raft', 'tutti raft -o json'],
  async run(_call, session) {
    const items = await session.client.raft()
    await print({ items, columns, name: raft => raft.node, empty: 'no raft state' }, session)
    if (session.format !== 'table' && session.format !== 'wide') return 0
    for (const raft of items.filter(each => each.followers.length > 0)) {
      const lines = table(followerColumns(raft.lastIndex), raft.followers, { style: session.style })
      await session.terminal.write(`\n${lines.join('\n')}\n`)
    }
    return 0
  },
}
