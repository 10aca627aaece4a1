import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { treeOf } from '../../../cli/commands/actors.ts'
import type { ActorView } from '../../../node/api/native/schema.ts'

const actor = (path: string): ActorView => ({
  node: 'ash',
  path,
  mailbox: 0,
  mailboxMax: 8,
  receivedCount: 0,
  droppedCount: 0,
  restartCount: 0,
  lastCrash: null,
})

test('actors are drawn below their parents, in order of their names', () => {
  const labels = treeOf(
    ['raft', 'agent/web.2', 'agent', 'agent/web.1', 'agent/web.1/probe'].map(actor),
    false,
  ).map(row => row.label)
  assert.equal(labels, ['agent', '├─ web.1', '│  └─ probe', '└─ web.2', 'raft'])
})

test('a parent that is not listed is skipped over', () => {
  assert.equal(
    treeOf(['a', 'a/b/c'].map(actor), true).map(row => row.label),
    ['a', '`- b/c'],
  )
})

test.run()
