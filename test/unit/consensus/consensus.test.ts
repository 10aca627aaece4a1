import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Refused } from '../../../node/consensus/propose.ts'
import { encodeRequest } from '../../../node/consensus/request.ts'
import { Failure } from '../../../node/errors.ts'
import type { Outcome } from '../../../scheduler/index.ts'
import { createCluster, createWorld, hasCaughtUp, type TestNode, tokenCommand } from './world.ts'

const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    value => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
    },
    thrown => {
      if (!(thrown instanceof Failure)) throw thrown
      return thrown
    },
  )

const write = (node: TestNode, id?: string, timeoutMs = 10_000): Promise<Outcome> =>
  node.consensus.submit(tokenCommand(id), { timeoutMs })

test('the founder of a cluster leads at once, not after an election timeout', async () => {
  const world = createWorld()
  const node = await world.start('a', { bootstrap: true })
  await world.until('it leads', () => node.leadership.at(-1) === true, 50)
  const outcome = await world.settle(node.consensus.submit(tokenCommand(), { timeoutMs: 1_000 }))
  assert.is(outcome.ok, true)
})

test('a write through a follower is in its own state when it is answered', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const follower = world.nodes.get('b')!
  assert.is(follower.consensus.status().role, 'follower')
  const outcome = await world.settle(follower.consensus.submit(tokenCommand('mine'), { timeoutMs: 5_000 }))
  assert.is(outcome.ok, true)
  assert.ok(follower.consensus.state().tokens.has('mine'))
  await world.until('all have it', () => hasCaughtUp(world))
  const digests = new Set([...world.nodes.values()].map(node => node.consensus.digest()))
  assert.is(digests.size, 1)
})

test('a commit is told to followers at once, not with the next heartbeat', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const leader = world.leader()
  const followers = [...world.nodes.values()].filter(node => node !== leader)
  await world.until('all have caught up', () => hasCaughtUp(world))
  for (const follower of followers) await world.settle(write(follower), 25)
  await world.settle(write(leader), 25)
  await world.until('all have it', () => hasCaughtUp(world), 5)
})

test('a write that is lost on its way to the leader is asked for again and applied once', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  world.losePropositions(3)
  const follower = world.nodes.get('c')!
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      world.settle(follower.consensus.submit(tokenCommand(`k${i}`), { timeoutMs: 20_000 })),
    ),
  )
  assert.ok(outcomes.every(outcome => outcome.ok))
  assert.is(new Set(outcomes.map(outcome => outcome.index)).size, 10)
})

test('a write under way when the connection to the leader breaks is asked for again at once', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const leader = world.leader()
  const follower = world.nodes.get(leader.id === 'b' ? 'c' : 'b')!
  world.losePropositions(1)
  const writing = follower.consensus.submit(tokenCommand('again'), { timeoutMs: 8_000 })
  await world.pass(10)
  world.losePropositions(0)
  const peers = new Set(['a', 'b', 'c'])
  follower.transport.admit(new Set([...peers].filter(id => id !== leader.id)))
  follower.transport.admit(peers)
  assert.is((await world.settle(writing, 400)).ok, true)
})

test('a write that a snapshot brought is settled without an entry', async () => {
  const world = await createCluster(['a', 'b', 'c'], { snapshotEntries: 10 })
  const leader = world.leader()
  const follower = world.nodes.get(leader.id === 'b' ? 'c' : 'b')!
  const other = world.nodes.get(leader.id !== 'a' ? 'a' : follower.id === 'b' ? 'c' : 'b')!
  const { lastIndex } = leader.consensus.status()
  const writing = follower.consensus.submit(tokenCommand('far'), { timeoutMs: 20_000 })
  await world.until('it was sent', () => leader.consensus.status().lastIndex > lastIndex)
  world.cut([follower.id, leader.id], [follower.id, other.id])
  for (let i = 0; i < 60; i++) await world.settle(write(leader, `n${i}`))
  world.cut()
  assert.is((await world.settle(writing, 15_000)).ok, true)
  assert.ok(follower.consensus.status().snapshotIndex > lastIndex)
})

test('proposals that come while the disk is busy share one write, here and at every peer', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const leader = world.leader()
  leader.disk.setSlowness(20)
  await world.pass(500)
  const before = new Map(['a', 'b', 'c'].map(id => [id, world.syncs(id).length]))
  const writing: Promise<Outcome>[] = []
  for (let count = 0; count < 40; count += 1) {
    writing.push(leader.consensus.submit(tokenCommand(), { timeoutMs: 5_000 }))
    await world.pass(0.5)
  }
  await world.settle(Promise.all(writing))
  for (const [id, count] of before) {
    const syncs = world.syncs(id).slice(count)
    assert.ok(syncs.length < 12, `${syncs.length} fsyncs of ${id}`)
    assert.ok(
      syncs.every(writes => writes === 1),
      `${id} had writes that queued up behind one another`,
    )
  }
})

test('proposals wait a moment for the batch before them, and no longer than that', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const leader = world.leader()
  // A round takes tens of milliseconds, and the leader's own disk does not hold anything up.
  for (const node of world.nodes.values()) if (node !== leader) node.disk.setSlowness(20)
  await world.pass(500)
  const before = world.syncs(leader.id).length
  const writing: Promise<Outcome>[] = []
  for (let count = 0; count < 60; count += 1) {
    writing.push(leader.consensus.submit(tokenCommand(), { timeoutMs: 5_000 }))
    await world.pass(0.5)
  }
  const batches = world.syncs(leader.id).length - before
  assert.ok(batches >= 3, `${batches} batches left within 30 ms`)
  assert.ok(batches <= 8, `${batches} batches left within 30 ms`)
  await world.settle(Promise.all(writing))
})

test('a retry with the same request id gets the first outcome', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const options = { requestId: 'same', timeoutMs: 5_000 }
  const first = await world.settle(world.nodes.get('b')!.consensus.submit(tokenCommand('once'), options))
  const second = await world.settle(world.nodes.get('c')!.consensus.submit(tokenCommand('once'), options))
  assert.equal(second, first)
  const [left, right] = await Promise.all([
    world.settle(
      world.nodes.get('a')!.consensus.submit(tokenCommand('two'), { requestId: 'x', timeoutMs: 5_000 }),
    ),
    world.settle(
      world.nodes.get('a')!.consensus.submit(tokenCommand('two'), { requestId: 'x', timeoutMs: 5_000 }),
    ),
  ])
  assert.equal(left, right)
})

test('a reset connection to the leader costs far less than an election timeout', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = world.leader()
  world.kill(old.id)
  await world.until(
    'another one leads',
    () => [...world.nodes.values()].some(node => node.leadership.at(-1) === true),
    300,
  )
})

test('a leader that falls silent is replaced, and writes under way are finished by the next one', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = world.leader()
  const other = [...world.nodes.values()].find(node => node !== old)!
  world.kill(old.id, { silently: true })
  const outcome = await world.settle(
    other.consensus.submit(tokenCommand('late'), { timeoutMs: 10_000 }),
    5_000,
  )
  assert.is(outcome.ok, true)
})

test('without a quorum a write is refused within about two election timeouts, on both sides', async () => {
  const world = await createCluster(['a', 'b', 'c', 'd', 'e'])
  const leader = world.leader().id
  const minority = ['a', 'b', 'c', 'd', 'e'].filter(id => id !== leader).slice(0, 1)
  const few = [leader, ...minority]
  const many = ['a', 'b', 'c', 'd', 'e'].filter(id => !few.includes(id))
  world.cut(...few.flatMap(left => many.map(right => [left, right] as const)))
  for (const id of few) {
    const failure = await failureOf(world.settle(write(world.nodes.get(id)!, `from-${id}`, 60_000), 3_500))
    assert.is(failure.code, 'E_NO_QUORUM')
  }
  const status = world.nodes.get(few[1]!)!.consensus.status()
  assert.is(status.hasQuorum, false)
  assert.ok((status.ageMs ?? 0) > 1_000, 'the age of the state grows')
  const outcome = await world.settle(
    world.nodes.get(many[0]!)!.consensus.submit(tokenCommand(), { timeoutMs: 5_000 }),
  )
  assert.is(outcome.ok, true, 'the majority goes on')
  world.cut()
  await world.until('one state again', () => hasCaughtUp(world))
  const again = await world.settle(
    world.nodes.get(few[1]!)!.consensus.submit(tokenCommand(), { timeoutMs: 5_000 }),
  )
  assert.is(again.ok, true)
})

test('a node that belongs to no cluster yet says that it knows no leader', async () => {
  const world = createWorld()
  const node = await world.start('a')
  const failure = await failureOf(world.settle(write(node, undefined, 2_000)))
  assert.is(failure.code, 'E_NO_LEADER')
  assert.is(node.consensus.status().role, 'none')
  assert.is(node.consensus.status().ageMs, null)
})

test('all nodes restarted from their disks have the state they had', async () => {
  const world = await createCluster(['a', 'b', 'c'], { snapshotEntries: 20 })
  for (let i = 0; i < 50; i++) await world.settle(write(world.leader(), `r${i}`))
  await world.until('all have caught up', () => hasCaughtUp(world))
  const { index } = world.leader().consensus.state()
  assert.ok(world.leader().consensus.status().snapshotIndex > 0)
  for (const id of ['a', 'b', 'c']) world.kill(id)
  for (const id of ['a', 'b', 'c']) await world.start(id)
  await world.until('somebody leads', () =>
    [...world.nodes.values()].some(node => node.leadership.at(-1) === true),
  )
  await world.until('all have caught up', () => hasCaughtUp(world))
  for (const { consensus } of world.nodes.values()) {
    assert.ok(consensus.state().index > index)
    assert.is([...consensus.state().tokens.keys()].filter(id => id.startsWith('r')).length, 50)
  }
})

test('a node that lags behind the compacted log receives a snapshot in chunks', async () => {
  const world = await createCluster(['a', 'b', 'c'], { snapshotEntries: 10 })
  const follower = [...world.nodes.values()].find(node => node !== world.leader())!
  world.kill(follower.id)
  for (let i = 0; i < 100; i++) await world.settle(write(world.leader(), `s${i}`))
  const back = await world.start(follower.id)
  const changes: number[] = []
  back.consensus.subscribe(change => changes.push(change.events.length))
  await world.until('it has caught up', () => hasCaughtUp(world))
  assert.ok(back.consensus.status().snapshotIndex > 50)
  assert.ok(back.consensus.eventsFrom(1).truncated, 'events before the snapshot are not known')
  assert.is(back.consensus.digest(), world.leader().consensus.digest())
})

test('a barrier on a follower covers every write acknowledged before', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const follower = [...world.nodes.values()].find(node => node !== world.leader())!
  const outcome = await world.settle(world.leader().consensus.submit(tokenCommand(), { timeoutMs: 5_000 }))
  const index = await world.settle(follower.consensus.barrier({ timeoutMs: 5_000 }))
  assert.ok(index >= outcome.index)
  assert.ok(follower.consensus.state().index >= index)
})

test('a leader hands leadership over when asked, and writes go on', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = world.leader()
  await world.settle(old.consensus.transferLeadership({ timeoutMs: 2_000 }), 200)
  assert.is.not(old.consensus.status().role, 'leader')
  assert.is(old.leadership.at(-1), false)
  assert.is((await world.settle(old.consensus.submit(tokenCommand(), { timeoutMs: 5_000 }))).ok, true)
  assert.is.not(world.leader().id, old.id)
})

test('the only voter has nobody to hand over to', async () => {
  const world = await createCluster(['a'])
  const failure = await failureOf(
    world.settle(world.leader().consensus.transferLeadership({ timeoutMs: 2_000 })),
  )
  assert.is(failure.code, 'E_CONFLICT')
})

test('the membership is changed by the leader alone', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const follower = [...world.nodes.values()].find(node => node !== world.leader())!
  const failure = await failureOf(
    world.settle(follower.consensus.changeConfiguration({ voters: ['b'], learners: [] })),
  )
  assert.is(failure.code, 'E_NO_LEADER')
  const { consensus } = world.leader()
  const first = consensus.changeConfiguration({ voters: ['a', 'b'], learners: ['c'] })
  const second = failureOf(consensus.changeConfiguration({ voters: ['a'], learners: ['b', 'c'] }))
  await world.settle(first)
  assert.is((await world.settle(second)).code, 'E_CONFLICT')
  assert.equal(consensus.status().learners, ['c'])
})

test('a full disk stops a node, and it comes back by itself once there is space', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = world.leader()
  old.disk.setFull(true)
  const refused = await failureOf(world.settle(write(old)))
  assert.is(refused.code, 'E_DISK_FULL')
  assert.ok(old.consensus.status().fatal !== null)
  assert.is(old.consensus.status().role, 'none')
  const other = [...world.nodes.values()].find(node => node !== old)!
  assert.is((await world.settle(other.consensus.submit(tokenCommand(), { timeoutMs: 8_000 }))).ok, true)
  old.disk.setFull(false)
  await world.until('it is back', () => old.consensus.status().fatal === null && hasCaughtUp(world))
  assert.is((await world.settle(old.consensus.submit(tokenCommand(), { timeoutMs: 8_000 }))).ok, true)
})

test('a failed disk ends voting and writing on that node for good, and nothing else', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const old = world.leader()
  world.breakDisk(old.id)
  assert.is((await failureOf(world.settle(write(old)))).code, 'E_DISK_FAILED')
  assert.is(old.leadership.at(-1), false)
  const other = [...world.nodes.values()].find(node => node !== old)!
  assert.is((await world.settle(write(other))).ok, true)
  await world.pass(10_000)
  assert.is(old.consensus.status().fatal, 'the disk failed')
  assert.is((await failureOf(world.settle(write(old)))).code, 'E_DISK_FAILED')
  assert.ok(old.consensus.state().index > 0, 'the state can still be read')
})

test('so does an fsync that fails for a snapshot', async () => {
  const world = await createCluster(['a', 'b', 'c'], { snapshotEntries: 10 })
  const old = world.leader()
  const other = [...world.nodes.values()].find(node => node !== old)!
  world.breakSnapshots(old.id)
  for (let count = 0; count < 12; count++) await world.settle(write(other))
  await world.until('it has noticed', () => old.consensus.status().fatal !== null)
  await world.settle(write(other))
  await world.pass(10_000)
  assert.is(old.consensus.status().role, 'none')
})

test('a proposal by wire is refused unless it is a request that its sender may make', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const leader = world.leader().id
  const from = leader === 'a' ? 'b' : 'a'
  const { index } = world.leader().consensus.state()
  const refusals: readonly (readonly [Uint8Array, string])[] = [
    [new Uint8Array([1, 2, 3]), 'invalid'],
    [new Uint8Array(3_000_000), 'tooLarge'],
    [
      encodeRequest({
        requestId: 'v',
        command: { type: 'node/Verdict', atMs: 1, id: 'b' as never, state: 'dead', reason: '' },
      }),
      'forbidden',
    ],
    [
      encodeRequest({
        requestId: 'p',
        command: { type: 'pod/Report', atMs: 1, node: 'c' as never, reports: [] },
      }),
      'forbidden',
    ],
  ]
  for (const [data, reason] of refusals) {
    const ask = { type: 'ask', requestId: 'r', attempt: 1, data }
    const reply = (await world.settle(world.propose(from, leader, ask))) as Refused
    assert.equal(
      { type: reply.type, requestId: reply.requestId, attempt: reply.attempt, reason: reply.reason },
      { type: 'refused', requestId: 'r', attempt: 1, reason },
    )
  }
  for (const nonsense of [
    null,
    'text',
    { type: 'ask' },
    { type: 'ask', requestId: 'r', attempt: 1, data: 'text' },
  ])
    world.nodes.get(from)!.transport.send(leader, 'propose', nonsense)
  await world.pass(100)
  assert.is(world.leader().consensus.state().index, index, 'nothing entered the log')
})

test('a request that is too large is refused before it is sent', async () => {
  const world = await createCluster(['a'])
  const command = { ...tokenCommand(), padding: 'x'.repeat(2_000_000) }
  const failure = await failureOf(
    world.settle(world.leader().consensus.submit(command, { timeoutMs: 1_000 })),
  )
  assert.is(failure.code, 'E_TOO_LARGE')
})

test('subscribers see every event once and in order', async () => {
  const world = await createCluster(['a', 'b', 'c'])
  const node = world.nodes.get('b')!
  const seen: number[] = []
  const end = node.consensus.subscribe(change => seen.push(...change.events.map(event => event.index)))
  for (let i = 0; i < 20; i++) await world.settle(write(node))
  end()
  await world.settle(write(node))
  assert.is(seen.length, 20)
  assert.equal(
    seen,
    [...seen].sort((left, right) => left - right),
  )
  assert.is(node.consensus.eventsFrom(seen[5]!).events[0]?.index, seen[5])
})

test.run()
