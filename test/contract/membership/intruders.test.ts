/** S2, S3, S5 and S6 against real nodes: strangers, worthless tokens, a seed that lies, and a member whose key was stolen. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { RPC } from '@libp2p/gossipsub/message'
import type { Connection } from '@libp2p/interface'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DemoNode } from '../../../cli/demo/demo-node.ts'
import type { Rumor } from '../../../gossip/index.ts'
import { decode, encode } from '../../../node/codec.ts'
import { foundCluster } from '../../../node/founding.ts'
import { frameOf } from '../../../node/transport/frames.ts'
import { generateIdentity, loadIdentity } from '../../../node/transport/identity.ts'
import { createNode, multiaddr, type Node } from '../../../node/transport/libp2p-node.ts'
import { LocalCluster } from '../../harness/local-cluster.ts'
import { until } from '../../harness/run-command.ts'
import { introduceTo, intruder } from './intruder.ts'

const SOON_MS = 30_000
const FREE_ADDRESS = '127.0.77.20:7701'
const TOPIC = '/tutti/rumors/1'
const FORGED = 'a peer publishes words of others, which are ignored'

type World = { cluster: LocalCluster; thiefOf: DemoNode }

const story = suite<World>('intruders')
const closing: (() => unknown)[] = []

story.before(async context => {
  context.cluster = await LocalCluster.start(4)
  const learner = await until('three vote and one learns', SOON_MS, async () => {
    const nodes = await clientOf(context.cluster.node(0)).nodes()
    return nodes.filter(({ role }) => role !== 'learner').length === 3
      ? (nodes.find(({ role }) => role === 'learner')?.name ?? null)
      : null
  })
  context.thiefOf = context.cluster.nodes.find(({ name }) => name === learner) as DemoNode
})

story.after.each(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

story.after(async context => {
  await context.cluster?.stop()
})

const clientOf = (node: DemoNode) => node.client(AbortSignal.timeout(SOON_MS))
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const logOf = (cluster: LocalCluster, node: DemoNode): string =>
  readFileSync(join(cluster.directory, `${node.name}.log`), 'utf8')

/** Resolves when `tutti start` gave up. */
const joinWith = (
  cluster: LocalCluster,
  token: string,
  { name, seed }: { readonly name: string; readonly seed: string },
) =>
  cluster.tutti(
    cluster.node(0),
    [
      ...['start', '--data', join(cluster.directory, name), '--listen', FREE_ADDRESS, '--api', 'off'],
      ...['--runtime', 'process', '--join', seed, '--token', '-'],
    ],
    token,
  )

/** libp2p without our rules. */
const openRaw = async (identity: { readonly privateKey: Uint8Array }, listen: string): Promise<Node> => {
  const raw = await createNode({ ...identity, listen, gater: {}, isMember: () => true })
  await raw.start()
  closing.push(() => raw.stop())
  return raw
}

const hostPort = (peerAddress: string): string => {
  const [host, port] = peerAddress.split(':')
  return `/ip4/${host}/tcp/${port}`
}

story('a stranger gets nothing but join, and the node says that it tried', async ({ cluster }) => {
  const ash = cluster.node(0)
  const before = await clientOf(ash).nodes()
  const raw = await openRaw(await generateIdentity(), '/ip4/127.0.77.20/tcp/0')
  const connection = await raw.dial(multiaddr(hostPort(ash.peerAddress)))
  const forged = frameOf(encode({ type: 'heartbeat', term: 99, commit: 0, round: 1 }))
  for (const protocol of ['raft', 'swim', 'propose', 'api'].map(name => `/tutti/${name}/1`)) {
    const stream = await connection.newStream(protocol).catch(() => null)
    if (stream === null) continue
    const answered = new Promise<boolean>(resolve => {
      stream.addEventListener('message', () => resolve(true))
      stream.addEventListener('close', () => resolve(false))
    })
    try {
      stream.send(forged)
    } catch {
      // Refused before a word was said.
    }
    assert.is(stream.status === 'open' ? await answered : false, false, protocol)
  }
  assert.match(logOf(cluster, ash), 'a stranger tried a protocol of members')
  assert.equal(await clientOf(ash).nodes(), before)
})

story('S3: expired, revoked and guessed tokens let nobody in, each by its name', async ({ cluster }) => {
  const ash = cluster.node(0)
  const before = (await clientOf(ash).nodes()).length
  const create = (ttlMs: number) => clientOf(ash).createToken({ kind: 'join', uses: 1, ttlMs })
  const expired = await create(1_000)
  const revoked = await create(60_000)
  await clientOf(ash).revokeToken(revoked.id)
  await pause(1_100)
  for (const [name, token, code] of [
    ['expired', expired.token, 'E_JOIN_TOKEN_EXPIRED'],
    ['revoked', revoked.token, 'E_JOIN_TOKEN_REVOKED'],
    ['guessed', `${expired.token.slice(0, -4)}aaaa`, 'E_JOIN_TOKEN_UNKNOWN'],
  ] as const) {
    const done = await joinWith(cluster, token, { name, seed: ash.peerAddress })
    assert.is(done.code, 5, done.stderr)
    assert.match(done.stderr, code)
    assert.not(done.stderr.includes(token.split('_')[3] as string), 'the secret is not repeated')
  }
  assert.is((await clientOf(ash).nodes()).length, before)
})

story('S3: a join token opens no API, and an API token admits no node', async ({ cluster }) => {
  const ash = cluster.node(0)
  const join = await clientOf(ash).createToken({ kind: 'join', uses: 5 })
  const api = await clientOf(ash).createToken({ kind: 'api', role: 'viewer' })
  const status = async (token: string): Promise<number> =>
    (
      await fetch(`http://${ash.address}:7700/tutti/v1/status`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status
  assert.is(await status(api.token), 200)
  assert.is(await status(join.token), 401)
  const done = await joinWith(cluster, api.token, { name: 'viewer', seed: ash.peerAddress })
  assert.is(done.code, 5, done.stderr)
  assert.match(done.stderr, 'E_JOIN_TOKEN_UNKNOWN')
})

story('S2: a seed that cannot prove the pinned key is told nothing of the secret', async ({ cluster }) => {
  const ash = cluster.node(0)
  const { token } = await clientOf(ash).createToken({ kind: 'join', uses: 1 })
  const seed = await intruder({ listen: '127.0.77.21:7701', stolenFrom: null })
  closing.push(() => seed.stop())
  const told: unknown[] = []
  seed.onCall('join', async function* ({ request }) {
    told.push(request)
    // The true cluster's key, which is no secret, and a signature by another.
    yield { clusterPublicKey: foundCluster(0).publicKey, signature: 'A'.repeat(88), nonce: 'bm9uY2U=' }
  })
  await seed.start()
  const done = await joinWith(cluster, token, { name: 'misled', seed: '127.0.77.21:7701' })
  assert.is(done.code, 5, done.stderr)
  assert.match(done.stderr, 'E_JOIN_WRONG_CLUSTER')
  assert.is(told.length, 1)
  assert.equal(Object.keys(told[0] as object).sort(), ['nonce', 'type'])
  const secret = token.split('_')[3] as string
  assert.not(Buffer.from(encode(told)).includes(secret))
})

story(
  'S5: a member without a vote that claims to lead changes no term, and each node says so',
  async ({ cluster, thiefOf }) => {
    await thiefOf.stop()
    const others = cluster.nodes.filter(node => node !== thiefOf)
    const thief = await intruder({ listen: thiefOf.peerAddress, stolenFrom: thiefOf.directory })
    closing.push(() => thief.stop())
    await thief.start()
    await introduceTo(thief, cluster)
    await until('it is taken for a member', SOON_MS, () => (thief.connected().size === 3 ? true : null))
    const viewOf = async (node: DemoNode) => {
      const [view] = await clientOf(node).raft()
      assert.ok(view !== undefined)
      return { term: view.term, leader: view.leader, voters: view.voters }
    }
    const before = await Promise.all(others.map(viewOf))
    const term = (before[0]?.term ?? 0) + 7
    for (const message of [
      { type: 'heartbeat', term, commit: 0, round: 1 },
      { type: 'append', term, prevIndex: 1, prevTerm: 1, entries: [], commit: 1 },
      { type: 'vote', term, lastIndex: 10 ** 9, lastTerm: term, isTransfer: true },
      { type: 'vote', term, lastIndex: 10 ** 9, lastTerm: term, isTransfer: false },
      { type: 'timeoutNow', term },
      { type: 'heartbeat', term, commit: 0, round: 'many' },
    ])
      for (const peer of thief.connected()) assert.ok(thief.send(peer, 'raft', message))
    for (const node of others) {
      await until(`${node.name} says so`, SOON_MS, () => {
        const said = logOf(cluster, node)
        const isTold = said.includes('claims to lead') && said.includes('is no Raft message')
        return isTold ? true : null
      })
    }
    assert.equal(await Promise.all(others.map(viewOf)), before)
  },
)

story('S6: on one member’s word, however often it is said, nobody is dead', async ({ cluster, thiefOf }) => {
  const others = cluster.nodes.filter(node => node !== thiefOf)
  const [witness, victim] = [others[0], others[1]] as [DemoNode, DemoNode]
  const thief = await intruder({ listen: thiefOf.peerAddress, stolenFrom: thiefOf.directory })
  closing.push(() => thief.stop())
  // It seems to be well.
  thief.onMessage('swim', (from, message) => {
    const { type, sequence } = message as { readonly type: string; readonly sequence: number }
    if (type === 'ping') thief.send(from, 'swim', { type: 'ack', sequence, rumors: [] })
  })
  await thief.start()
  const ids = await introduceTo(thief, cluster)
  await until('it is taken for a member', SOON_MS, () => (thief.connected().size === 3 ? true : null))
  const id = ids.get(victim.name) as string
  const seenBy = async (node: DemoNode) => (await clientOf(node).members()).find(each => each.id === id)
  const untilMs = performance.now() + 6_000
  while (performance.now() < untilMs) {
    const incarnation = (await seenBy(witness))?.incarnation ?? 0
    for (const state of ['suspect', 'dead', 'left'] as const) {
      const member = { id, incarnation, state, addresses: [victim.peerAddress], metadata: {} }
      const rumor = { member, by: thief.self }
      for (const peer of thief.connected()) thief.send(peer, 'swim', { type: 'gossip', rumors: [rumor] })
      thief.publish('rumors', rumor)
    }
    const [inLog] = (await clientOf(witness).nodes()).filter(node => node.id === id)
    assert.is(inLog?.state === 'dead' || inLog?.state === 'left', false, 'the log has believed it')
    await pause(100)
  }
  const last = await until('gossip has cleared it', SOON_MS, async () => {
    const seen = await seenBy(witness)
    return seen?.state === 'alive' ? seen : null
  })
  assert.ok((last.incarnation ?? 0) > 0, 'it has refuted')
})

story(
  'a rumour that is played again, or forged in another’s name, changes nothing',
  async ({ cluster, thiefOf }) => {
    const others = cluster.nodes.filter(node => node !== thiefOf)
    const [witness, victim] = [others[0], others[1]] as [DemoNode, DemoNode]
    // Where nobody expects it, so that no dial of theirs crosses its own.
    const stolen = await loadIdentity(thiefOf.directory)
    const raw = await openRaw(stolen, '/ip4/127.0.77.22/tcp/0')
    const { gossip, identify } = raw.services
    const recorded: RPC.Message[] = []
    gossip.subscribe(TOPIC)
    gossip.addEventListener('gossipsub:message', ({ detail: { msg } }) => {
      if (msg.type !== 'signed') return
      const seqno = Buffer.alloc(8)
      seqno.writeBigUInt64BE(msg.sequenceNumber)
      const { data, topic, signature } = msg
      recorded.push({ from: msg.from.toMultihash().bytes, data, seqno, topic, signature })
    })
    const connections: Connection[] = []
    for (const node of others) {
      const connection = await raw.dial(multiaddr(hostPort(node.peerAddress)))
      await identify.identify(connection)
      connections.push(connection)
    }
    const nodes = await clientOf(witness).nodes()
    const id = nodes.find(node => node.name === victim.name)?.id as string
    const seen = async () => (await clientOf(witness).members()).find(each => each.id === id)
    const swim = await Promise.all(connections.map(each => each.newStream('/tutti/swim/1')))
    const by = raw.peerId.toString()
    /** Behind whatever is said first, on the same streams. */
    const accuse = async (first: readonly unknown[] = []): Promise<void> => {
      const incarnation = (await seen())?.incarnation ?? 0
      const member = { id, incarnation, state: 'suspect', addresses: [victim.peerAddress], metadata: {} }
      const rumors = [...first, { member, by }]
      for (const stream of swim) stream.send(frameOf(encode({ type: 'gossip', rumors })))
      await until('it has refuted', SOON_MS, async () =>
        ((await seen())?.incarnation ?? 0) > incarnation ? true : null,
      )
    }
    await accuse()
    await until('its word was heard', SOON_MS, () => (recorded.length > 0 ? true : null))
    await accuse()
    const before = await seen()
    const member = { id, incarnation: 10 ** 6, state: 'left', addresses: [], metadata: {} }
    const lie = { ...(recorded[0] as RPC.Message), data: encode({ member, by: id }) }
    const played = recorded.flatMap(({ data }) => decode(data as Uint8Array) as Rumor)
    assert.ok(
      played.some(rumor => rumor.by === id),
      'what it said of itself is among it',
    )
    const messages = [...recorded, lie, { ...lie, signature: new Uint8Array(64) }]
    // Last the same words under the thief's own signature: who refuses them has dealt with what came before.
    const last = await Promise.all(played.map(rumor => signed(stolen.privateKey, rumor)))
    for (const connection of connections) {
      const stream = await connection.newStream(['/meshsub/1.1.0', '/meshsub/1.0.0'])
      for (const batch of [messages, last]) {
        const rpc = RPC.encode({ subscriptions: [], messages: batch })
        stream.send(Buffer.concat([varint(rpc.byteLength), rpc]))
      }
    }
    for (const node of others)
      await until(`${node.name} refuses words of others`, SOON_MS, () => {
        const lines = logOf(cluster, node).split('\n')
        return lines.some(line => line.includes(FORGED) && line.includes(by)) ? true : null
      })
    assert.equal(await seen(), before)
    assert.is(before?.state, 'alive')
    await accuse(played)
    assert.equal(
      await seen(),
      { ...before, incarnation: (before?.incarnation ?? 0) + 1 },
      'it has heard, and refuted, only the accusation',
    )
  },
)

story('S3: a token that has let one node in lets in no other', async ({ cluster }) => {
  const ash = cluster.node(0)
  const token = await cluster.createToken(1)
  const elm = cluster.prepare()
  elm.start({ runtime: 'process', join: ash.peerAddress, token })
  await elm.ready(AbortSignal.timeout(SOON_MS))
  const done = await joinWith(cluster, token, { name: 'late', seed: ash.peerAddress })
  assert.is(done.code, 5, done.stderr)
  assert.match(done.stderr, 'E_JOIN_TOKEN_SPENT')
})

/** As gossipsub signs what its node says. */
const signed = async (privateKey: Uint8Array, rumor: Rumor): Promise<RPC.Message> => {
  const key = privateKeyFromProtobuf(privateKey)
  const from = key.publicKey.toMultihash().bytes
  const said = { from, data: encode(rumor), seqno: randomBytes(8), topic: TOPIC }
  const signature = await key.sign(Buffer.concat([Buffer.from('libp2p-pubsub:'), RPC.Message.encode(said)]))
  return { ...said, signature }
}

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}

story.run()
