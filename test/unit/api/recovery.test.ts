import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkRecovery, judge } from '../../../node/api/native/recovery/recovery.ts'
import type { RaftView } from '../../../node/api/native/schema.ts'
import { Failure } from '../../../node/errors.ts'
import { raft } from '../../harness/fake-cluster.ts'

/** One of three voters that knows no leader. */
const lost = (node: string, changes: Partial<RaftView> = {}): { name: string; answer: RaftView } => ({
  name: node,
  answer: {
    ...raft(),
    node,
    role: 'follower',
    leader: null,
    hasQuorum: false,
    voters: ['ash', 'birch', 'cedar', 'doug', 'elm'],
    followers: [],
    ...changes,
  },
})

const silent = (name: string) => ({ name, answer: 'connection refused' })

const codeOf = (act: () => void): string => {
  try {
    act()
  } catch (thrown) {
    return thrown instanceof Failure ? thrown.code : String(thrown)
  }
  return 'allowed'
}

test('the most advanced log is the one that would win an election, and a newer epoch beats any', () => {
  const bestOf = (changes: Partial<RaftView>): string | null =>
    judge('ash', [lost('ash', { lastTerm: 8, lastIndex: 240 }), lost('birch', changes), silent('cedar')]).best
  assert.is(bestOf({ lastTerm: 8, lastIndex: 241 }), 'birch')
  assert.is(bestOf({ lastTerm: 9, lastIndex: 200 }), 'birch')
  assert.is(bestOf({ lastTerm: 7, lastIndex: 900 }), 'ash')
  assert.is(bestOf({ lastTerm: 8, lastIndex: 240 }), 'ash', 'among equals the one that was asked')
  assert.is(bestOf({ lastTerm: 1, lastIndex: 3, epoch: 1 }), 'birch')
  assert.is(bestOf({ lastTerm: 9, lastIndex: 999, fatal: 'the disk failed' }), 'ash')
})

test('it is recovered on the most advanced one only, and the others say which that is', () => {
  const view = judge('ash', [lost('ash'), lost('birch', { lastIndex: 300 }), silent('cedar')])
  assert.is(view.refusal, null)
  assert.is(
    codeOf(() => checkRecovery('birch', view)),
    'allowed',
  )
  assert.is(
    codeOf(() => checkRecovery('ash', view)),
    'E_CONFLICT',
  )
})

test('nothing is recovered where somebody follows a leader, or enough voters answer to elect one', () => {
  const led = judge('ash', [lost('ash'), lost('birch', { leader: 'doug', hasQuorum: true }), silent('cedar')])
  assert.match(led.refusal?.message ?? '', /doug leads/)
  const three = judge('ash', [lost('ash'), lost('birch'), lost('cedar'), silent('doug'), silent('elm')])
  assert.match(three.refusal?.message ?? '', /a quorum still lives: ash, birch, cedar/)
  assert.is(
    codeOf(() => checkRecovery('ash', three)),
    'E_CONFLICT',
  )
  const broken = judge('ash', [lost('ash'), lost('birch'), lost('cedar', { fatal: 'the disk failed' })])
  assert.is(broken.refusal, null, 'a voter without a disk elects nobody')
})

test('learners that answer do not make a quorum, but may be recovered from', () => {
  const view = judge('ash', [
    lost('fir', { role: 'learner', lastIndex: 300 }),
    lost('ash'),
    lost('gum', { role: 'learner' }),
  ])
  assert.is(view.refusal, null)
  assert.is(view.best, 'fir')
  assert.equal(
    view.survivors.map(one => [one.node, one.isVoter]),
    [
      ['fir', false],
      ['ash', true],
      ['gum', false],
    ],
  )
})

test('where nobody has a log there is nothing to recover from', () => {
  const view = judge('ash', [lost('ash', { lastIndex: 0, lastTerm: 0 }), silent('birch')])
  assert.is(view.best, null)
  assert.match(view.refusal?.try ?? '', /tutti restore/)
})

test.run()
