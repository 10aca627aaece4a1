// The log in memory against a plain list of terms, and its configurations through truncation and compaction.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { entryBytes, Log } from '../../../raft/log.ts'
import { type Entry, emptyConfiguration, joinerState } from '../../../raft/saved.ts'

const configuration = (...voters: string[]) => ({ ...emptyConfiguration, voters })

const entriesOf = (terms: readonly number[], first = 1): Entry[] =>
  terms.map((term, position) => ({ type: 'noop', index: first + position, term }))

const logOf = (...terms: number[]): Log => {
  const log = new Log(joinerState())
  log.append(entriesOf(terms))
  return log
}

const termsOf = (log: Log): number[] =>
  log.slice(log.firstIndex, log.lastIndex, Number.POSITIVE_INFINITY).map(entry => entry.term)

test('a log knows the terms from its base to its end and nothing else', () => {
  const log = logOf(1, 1, 4)
  assert.equal(
    [0, 1, 2, 3, 4].map(index => log.termAt(index)),
    [0, 1, 1, 4, null],
  )
  assert.is(log.lastIndex, 3)
  assert.is(log.lastTerm, 4)
})

test('the more up-to-date log has the newer last term, or is longer (paper §5.4.1)', () => {
  const log = logOf(1, 2)
  assert.ok(log.isUpToDate(2, 2))
  assert.ok(log.isUpToDate(3, 2))
  assert.ok(log.isUpToDate(1, 3))
  assert.not.ok(log.isUpToDate(1, 2))
  assert.not.ok(log.isUpToDate(9, 1))
})

test('gaps and falling terms are bugs', () => {
  assert.throws(() => logOf(1).append(entriesOf([1], 3)), /no gaps/)
  assert.throws(() => logOf(2).append(entriesOf([1], 2)), /terms never fall/)
})

test('the first new entry is the first that is missing or has another term', () => {
  const log = logOf(1, 1, 2)
  assert.is(log.firstNew(entriesOf([1, 1, 2])), 3)
  assert.is(log.firstNew(entriesOf([1, 1, 3])), 2)
  assert.is(log.firstNew(entriesOf([2, 4], 3)), 1)
  assert.is(log.firstNew([]), 0)
})

test('a slice stops at the byte limit but has at least one entry', () => {
  const log = logOf(1, 1, 1, 1)
  const bytes = entryBytes(entriesOf([1])[0]!)
  assert.is(log.slice(1, 4, bytes * 2).length, 2)
  assert.is(log.slice(1, 4, 1).length, 1)
  assert.is(log.slice(2, 3, bytes * 9).length, 2)
  assert.is(log.slice(5, 9, bytes * 9).length, 0)
})

test('two logs agree no further than the last possible match, whatever their terms (paper §5.3)', () => {
  const terms = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 }).map(list => list.sort())
  fc.assert(
    fc.property(terms, terms, (mine, theirs) => {
      const follower = logOf(...mine)
      const hint = follower.lastPossibleMatch(theirs.length, theirs.at(-1) ?? 0)
      const agreed = theirs.findIndex((term, position) => mine[position] !== term)
      assert.ok((agreed === -1 ? theirs.length : agreed) <= hint)
      const leader = logOf(...theirs)
      const match = leader.lastPossibleMatch(hint, follower.termAt(hint) ?? 0)
      assert.ok((agreed === -1 ? theirs.length : agreed) <= match)
    }),
  )
})

test('truncation and append behave like the same on a plain list', () => {
  const steps = fc.array(fc.record({ keep: fc.nat(8), add: fc.nat(4) }), { maxLength: 10 })
  fc.assert(
    fc.property(steps, list => {
      const log = new Log(joinerState())
      let plain: number[] = []
      list.forEach(({ keep, add }, position) => {
        log.truncate(Math.min(keep, plain.length) + 1)
        plain = [...plain.slice(0, keep), ...new Array(add).fill(position + 1)]
        log.append(entriesOf(plain.slice(log.lastIndex), log.lastIndex + 1))
        assert.equal(termsOf(log), plain)
      })
    }),
  )
})

test('a configuration is in force from its entry on, and the one before it after a truncation', () => {
  const log = new Log(joinerState())
  log.append([{ type: 'configuration', index: 1, term: 1, configuration: configuration('a') }])
  log.append(entriesOf([1], 2))
  log.append([{ type: 'configuration', index: 3, term: 1, configuration: configuration('a', 'b') }])
  assert.equal(log.configuration, { index: 3, configuration: configuration('a', 'b') })
  assert.equal(log.configurationAt(2), { index: 1, configuration: configuration('a') })
  log.truncate(3)
  assert.equal(log.configuration, { index: 1, configuration: configuration('a') })
  log.truncate(1)
  assert.equal(log.configuration, { index: 0, configuration: emptyConfiguration })
})

test('compaction keeps the configuration of the snapshot, and trailing entries before it', () => {
  const log = new Log(joinerState())
  log.append([{ type: 'configuration', index: 1, term: 1, configuration: configuration('a') }])
  log.append(entriesOf([1, 2, 2], 2))
  log.append([{ type: 'configuration', index: 5, term: 2, configuration: configuration('a', 'b') }])
  assert.equal(log.compact(4, 1), { index: 4, term: 2, configuration: configuration('a') })
  assert.is(log.firstIndex, 4)
  assert.equal(
    [2, 3, 4, 5].map(index => log.termAt(index)),
    [null, 2, 2, 2],
  )
  assert.is(log.configuration.index, 5)
  log.compact(5, 0)
  assert.is(log.firstIndex, 6)
  assert.equal(log.configuration, { index: 5, configuration: configuration('a', 'b') })
})

test('a log restored from its saved parts is the log it was, also with trailing entries', () => {
  const snapshot = { index: 4, term: 2, configuration: configuration('a') }
  const hardState = { term: 2, vote: null, commit: 4 }
  const trailing = new Log({ hardState, snapshot, entries: entriesOf([1, 2, 2, 2, 3], 2) })
  assert.is(trailing.firstIndex, 3)
  assert.equal(termsOf(trailing), [2, 2, 2, 3])
  const bare = new Log({ hardState, snapshot, entries: [] })
  assert.is(bare.lastIndex, 4)
  assert.is(bare.lastTerm, 2)
  assert.throws(() => new Log({ hardState, snapshot, entries: entriesOf([3], 6) }), /without a gap/)
  assert.throws(() => new Log({ hardState, snapshot, entries: entriesOf([1], 2) }), /reaches the snapshot/)
})

test.run()
