/** One node, spoken to by hand: a step at a time, with what came of the last one at hand. */
import * as assert from 'uvu/assert'
import {
  defaultOptions,
  type Entry,
  type Envelope,
  emptyConfiguration,
  type Input,
  type Message,
  type Options,
  Raft,
  type Ready,
  type SavedState,
} from '../../raft/index.ts'

export class Subject {
  readonly raft: Raft
  ready: Ready

  /** It is `a`, and the first to campaign unless `random` says otherwise. */
  constructor(state: SavedState, options: Partial<Options> = {}, random: () => number = () => 0) {
    this.raft = new Raft('a', state, { ...defaultOptions(50), ...options }, random)
    this.ready = this.raft.step({ type: 'applied', index: 0 })
  }

  step(input: Input): this {
    this.ready = this.raft.step(input)
    return this
  }

  hear(from: string, message: Message): this {
    return this.step({ type: 'receive', envelope: { from, to: 'a', message } })
  }

  tick(count: number): this {
    for (let i = 0; i < count; i++) this.step({ type: 'tick' })
    return this
  }

  persist(): this {
    const sequence = this.ready.persist?.sequence
    assert.ok(sequence, 'there is something to persist')
    return this.step({ type: 'persisted', sequence })
  }

  campaign(): this {
    return this.tick(10).hear('b', {
      type: 'preVoteResult',
      term: this.raft.status().term + 1,
      granted: true,
    })
  }

  lead(): this {
    this.campaign().persist()
    return this.hear('b', { type: 'voteResult', term: this.raft.status().term, granted: true })
  }

  /** Lead, and have the own empty entry committed. */
  leadFully(): this {
    this.lead().persist()
    const { term, lastIndex } = this.raft.status()
    return this.hear('b', { type: 'appended', term, match: lastIndex })
  }
}

export const bytes = (size: number) => new Uint8Array(size)

export const propose = (...sizes: number[]): Input => ({
  type: 'propose',
  proposals: sizes.map((size, position) => ({ key: `p${position}`, data: bytes(size) })),
})

/** A log of `terms` after a first entry that makes a, b and c voters. */
export const saved = (...terms: number[]): SavedState => {
  const configuration = { ...emptyConfiguration, voters: ['a', 'b', 'c'] }
  const first: Entry = { type: 'configuration', index: 1, term: 1, configuration }
  const rest = terms.map((term, position): Entry => ({ type: 'noop', index: position + 2, term }))
  return {
    hardState: { term: terms.at(-1) ?? 1, vote: null, commit: 1 },
    snapshot: null,
    entries: [first, ...rest],
  }
}

export const typesOf = (envelopes: readonly Envelope[]) => envelopes.map(({ message }) => message.type)
