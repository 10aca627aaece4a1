// A large snapshot on its way to a slow follower, counted in messages: nobody else waits for it, and it comes to an end.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultOptions, type Envelope, emptyConfiguration, type Fact } from '../../../raft/index.ts'
import { RaftNode } from '../../harness/raft-node.ts'

const MEGABYTE = 1024 * 1024
/** Of the snapshot, whatever its size. */
const CHUNKS = 50
const WRITES = 240
/** Messages to and from the slow follower are delivered once in so many writes. */
const SLOWNESS = 4
/** The leader takes a snapshot of its own once in so many writes: four before the transfer ends. */
const WRITES_PER_SNAPSHOT = 50

const FOUNDED = {
  hardState: { term: 1, vote: null, commit: 1 },
  snapshot: null,
  entries: [
    {
      type: 'configuration',
      index: 1,
      term: 1,
      configuration: { ...emptyConfiguration, voters: ['a', 'b', 'c'] },
    } as const,
  ],
}

/** `a` leads, `b` keeps up, and `c` lacks what the leader's snapshot has taken the place of. */
class Trio {
  readonly facts: Fact[] = []
  readonly chunkBytes: number
  readonly #links = new Map<string, Envelope[]>()
  readonly #nodes: ReadonlyMap<string, RaftNode>

  constructor({ snapshotBytes = MEGABYTE, heldBytesMax = 64 * MEGABYTE } = {}) {
    const core = {
      ...defaultOptions(50),
      snapshotChunkBytes: Math.ceil(snapshotBytes / CHUNKS),
      heldBytesMax,
    }
    this.chunkBytes = core.snapshotChunkBytes
    const world = {
      random: () => 0,
      onReady: (
        node: RaftNode,
        _input: unknown,
        ready: ReturnType<NonNullable<RaftNode['raft']>['step']>,
      ) => {
        for (const envelope of ready.sendNow) this.#post(envelope)
        if (node.id === 'a') this.facts.push(...ready.facts)
      },
    }
    this.#nodes = new Map(['a', 'b', 'c'].map(id => [id, new RaftNode(id, FOUNDED, core, world)]))
    for (let ticks = 0; ticks < core.electionTicksMax; ticks++) this.node('a').step({ type: 'tick' })
    while (this.exchange('a', 'b') > 0);
    for (let count = 0; count < 5; count++) this.write()
    this.node('a').lines.push('x'.repeat(snapshotBytes))
    this.node('a').compact(0)
    this.#links.clear()
  }

  node(id: string): RaftNode {
    return this.#nodes.get(id) as RaftNode
  }

  /** Delivers everything between two nodes, and makes everything durable that they have written. Returns how much that was. */
  exchange(one: string, other: string): number {
    const sent = [`${one}${other}`, `${other}${one}`].flatMap(link => this.#links.get(link)?.splice(0) ?? [])
    for (const envelope of sent) this.node(envelope.to).step({ type: 'receive', envelope })
    for (const id of [one, other]) this.#flush(this.node(id))
    return sent.length
  }

  /** Messages between leader and quick follower until a write is committed. */
  write(): number {
    const { raft } = this.node('a')
    this.node('a').step({ type: 'propose', proposals: [{ key: 'k', data: new Uint8Array(100) }] })
    const { lastIndex } = raft!.status()
    this.#flush(this.node('a'))
    let messages = 0
    while (raft!.status().commitIndex < lastIndex) messages += this.exchange('a', 'b')
    while (this.exchange('a', 'b') > 0);
    return messages
  }

  bytesTo(id: string): number {
    const waiting = this.#links.get(`a${id}`) ?? []
    return waiting.reduce((sum, { message }) => sum + ('data' in message ? message.data.length : 0), 0)
  }

  #post(envelope: Envelope): void {
    const link = `${envelope.from}${envelope.to}`
    this.#links.set(link, [...(this.#links.get(link) ?? []), envelope])
  }

  #flush(node: RaftNode): void {
    while (node.writes.length > 0) {
      const sequence = node.writes[0]?.persist?.sequence
      for (const envelope of node.flushOne()) this.#post(envelope)
      if (sequence !== undefined) node.acknowledge(sequence)
    }
  }
}

/** Messages per write while `c` is fed, or is not heard of at all. */
const run = (trio: Trio, isFed: boolean): readonly number[] => {
  const { chunkBytes } = trio
  const counts: number[] = []
  for (let count = 1; count <= WRITES; count++) {
    counts.push(trio.write())
    if (count % WRITES_PER_SNAPSHOT === 0) trio.node('a').compact(0)
    if (count % SLOWNESS !== 0) continue
    trio.node('a').step({ type: 'tick' })
    while (trio.exchange('a', 'b') > 0);
    if (!isFed) continue
    trio.exchange('a', 'c')
    assert.ok(trio.bytesTo('c') <= chunkBytes, 'one chunk is under way, whatever the size of the whole')
  }
  return counts
}

const started = (trio: Trio): number => trio.facts.filter(({ type }) => type === 'snapshotStarted').length

test('no write of the others costs one message more while 50 MB go to a slow follower', () => {
  const snapshotBytes = 50 * MEGABYTE
  const fed = new Trio({ snapshotBytes })
  const counts = run(fed, true)
  assert.ok(started(fed) > 0)
  assert.equal(counts, run(new Trio({ snapshotBytes }), false))
})

test('snapshots that are taken meanwhile do not make it begin again', () => {
  const trio = new Trio()
  run(trio, true)
  for (let round = 0; round < 100; round++) trio.exchange('a', 'c')
  assert.is(started(trio), 1)
  assert.is(trio.node('c').raft?.status().lastIndex, trio.node('a').raft?.status().lastIndex)
  trio.node('a').compact(0)
  const { firstIndex, lastIndex } = trio.node('a').raft!.status()
  assert.is(firstIndex, lastIndex + 1, 'nothing is held back once it has ended')
})

test('what is held back is bounded: beyond it the follower needs the next snapshot', () => {
  const trio = new Trio({ heldBytesMax: 1_000 })
  run(trio, true)
  for (let round = 0; round < 100; round++) trio.exchange('a', 'c')
  assert.ok(started(trio) > 1)
})

test('nothing is held back for a follower that fell silent', () => {
  const trio = new Trio()
  for (let round = 0; round < 4; round++) {
    trio.node('a').step({ type: 'tick' })
    trio.exchange('a', 'c')
  }
  assert.is(started(trio), 1)
  for (let ticks = 0; ticks < defaultOptions(50).electionTicksMax; ticks++) {
    trio.node('a').step({ type: 'tick' })
    trio.exchange('a', 'b')
  }
  trio.write()
  trio.node('a').compact(0)
  const { firstIndex, lastIndex } = trio.node('a').raft!.status()
  assert.is(firstIndex, lastIndex + 1)
})

test.run()
