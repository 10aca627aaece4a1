/** Joining over both transports: what the joiner checks before it shows its secret, and what each refusal says. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { encode } from '../../node/codec.ts'
import { Failure } from '../../node/errors.ts'
import { foundCluster } from '../../node/founding.ts'
import { type Log, silentLog } from '../../node/log.ts'
import { joinCluster, serveJoins } from '../../node/membership/join.ts'
import { createToken } from '../../node/membership/token.ts'
import { generateIdentity } from '../../node/transport/identity.ts'
import { createLibp2pTransport } from '../../node/transport/libp2p.ts'
import { memoryNetwork } from '../../node/transport/memory.ts'
import type { Transport } from '../../node/transport/transport.ts'
import type { NodeFacts, NodeId } from '../../scheduler/index.ts'
import { type FakeLog, fakeLog } from '../harness/fake-consensus.ts'

type Make = (who: string) => Promise<Transport>

const clock = systemClock()
const HOUR_MS = 3_600_000

const factsOf = (transport: Transport, name: string): NodeFacts => ({
  id: transport.self as NodeId,
  name,
  address: '127.0.0.1',
  peerAddress: transport.addresses()[0] as string,
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 1_000, memoryBytes: 1 },
  runtime: 'process',
  portRange: [20_000, 29_999],
  version: '0.1.0',
})

/** A member with a cluster of one, and tokens for it. */
const foundOn = (seed: Transport, log: Log = silentLog) => {
  const cluster = foundCluster(clock.wallMs())
  const ledger: FakeLog = fakeLog()
  ledger.commit({ type: 'cluster/Init', atMs: clock.wallMs(), cluster, node: factsOf(seed, 'seed') })
  serveJoins({ transport: seed, consensus: ledger.consensus(seed.self), clock, log })
  const token = (expiresInMs = HOUR_MS): { readonly id: string; readonly text: string } => {
    const { id, text, secretHash } = createToken(cluster.publicKey)
    ledger.commit({
      type: 'token/Create',
      atMs: clock.wallMs(),
      token: {
        id,
        kind: 'join',
        secretHash,
        role: 'viewer',
        labels: { zone: 'a' },
        uses: 1,
        expiresAtMs: clock.wallMs() + expiresInMs,
      },
    })
    return { id, text }
  }
  return { cluster, ledger, token }
}

const failureOf = async (promise: Promise<unknown>): Promise<Failure> => {
  try {
    await promise
  } catch (thrown) {
    assert.instance(thrown, Failure)
    return thrown as Failure
  }
  return assert.unreachable('it succeeded') as never
}

const storiesOf = (name: string, makeNetwork: () => Make) => {
  const story = suite(name)
  let running: Transport[] = []
  let make: Make
  story.before.each(() => {
    make = makeNetwork()
  })
  story.after.each(async () => {
    await Promise.all(running.map(transport => transport.stop()))
    running = []
  })
  const open = async (who: string): Promise<Transport> => {
    const transport = await make(who)
    await transport.start()
    running.push(transport)
    return transport
  }
  const joinAs = (joiner: Transport, seeds: readonly Transport[], token: string, nodeName = 'joiner') =>
    joinCluster({
      transport: joiner,
      seeds: seeds.map(seed => seed.addresses()[0] ?? 'gone:1'),
      token,
      facts: factsOf(joiner, nodeName),
    })

  story('a joiner is admitted by the log and learns the members', async () => {
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { cluster, ledger, token } = foundOn(seed)
    const joined = await joinAs(joiner, [seed], token().text)
    assert.equal(joined, {
      clusterId: cluster.id,
      clusterName: cluster.name,
      members: [{ id: seed.self, addresses: [...seed.addresses()] }],
    })
    const node = ledger.state.nodes.get(joiner.self as NodeId)
    assert.is(node?.name, 'joiner')
    assert.equal(node?.labels, { zone: 'a' })
  })

  story('S2: a member that cannot prove the pinned cluster key never sees the secret', async () => {
    const [seed, liar, joiner] = [await open('seed'), await open('liar'), await open('joiner')]
    const { cluster, token } = foundOn(seed)
    const { text } = token()
    const secret = text.split('_')[3] as string
    const seen: Uint8Array[] = []
    const answers = [
      // Another cluster's key, the right key without the private one, a recorded proof for somebody else, nonsense.
      { clusterPublicKey: foundCluster(0).publicKey, signature: 'AAAA' },
      { clusterPublicKey: cluster.publicKey, signature: Buffer.alloc(64, 7).toString('base64') },
      { clusterPublicKey: cluster.publicKey, signature: '' },
      { clusterPublicKey: cluster.publicKey },
      null,
    ]
    liar.onCall('join', async function* ({ request }) {
      seen.push(encode(request))
      yield answers[seen.length - 1]
    })
    for (let count = 1; count <= answers.length; count += 1) {
      const failure = await failureOf(joinAs(joiner, [liar], text))
      assert.is(failure.code, 'E_JOIN_WRONG_CLUSTER')
      assert.is(seen.length, count, 'one question each, and no second')
    }
    assert.not(seen.some(bytes => Buffer.from(bytes).includes(secret)))
    assert.not(seen.some(bytes => Buffer.from(bytes).includes(text)))
  })

  story('whoever speaks a protocol two apart is told so, and its token is not spent', async () => {
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { ledger, token } = foundOn(seed)
    const { id, text } = token()
    const join = (protocol: number) =>
      joinCluster({
        transport: joiner,
        seeds: [seed.addresses()[0] as string],
        token: text,
        facts: { ...factsOf(joiner, 'joiner'), protocol },
      })
    const failure = await failureOf(join(3))
    assert.is(failure.code, 'E_VERSION')
    assert.match(failure.message, /protocol 3 and node seed still 1.*one version at a time/)
    assert.is(failure.hint, 'who runs what: tutti nodes -o wide')
    assert.is(ledger.state.tokens.get(id)?.usesLeft, 1)
    await join(2)
    assert.is(ledger.state.nodes.get(joiner.self as NodeId)?.protocol, 2)
  })

  story('S2: a proof that was made for another node is no proof', async () => {
    const [seed, middle, joiner] = [await open('seed'), await open('middle'), await open('joiner')]
    const { token } = foundOn(seed)
    const asked: unknown[] = []
    // The one in the middle passes the challenge on to a real member and hands its answer back.
    middle.onCall('join', async function* ({ request }) {
      asked.push(request)
      const values: unknown[] = []
      for await (const value of middle.callAddress(seed.addresses()[0] as string, 'join', request, {
        timeoutMs: 5_000,
      }))
        values.push(value)
      yield values[1]
    })
    const failure = await failureOf(joinAs(joiner, [middle], token().text))
    assert.is(failure.code, 'E_JOIN_WRONG_CLUSTER')
    assert.is(asked.length, 1)
  })

  story(
    'S3: expired, spent, revoked, unknown and malformed tokens are refused, each by its name',
    async () => {
      const [seed, joiner] = [await open('seed'), await open('joiner')]
      const { cluster, ledger, token } = foundOn(seed)
      const spent = token()
      await joinAs(joiner, [seed], spent.text)
      const revoked = token()
      ledger.commit({ type: 'token/Revoke', atMs: clock.wallMs(), id: revoked.id })
      const second = await open('second')
      const cases = [
        ['E_JOIN_TOKEN_SPENT', spent.text],
        ['E_JOIN_TOKEN_EXPIRED', token(-1).text],
        ['E_JOIN_TOKEN_REVOKED', revoked.text],
        ['E_JOIN_TOKEN_UNKNOWN', createToken(cluster.publicKey).text],
        ['E_JOIN_TOKEN_MALFORMED', `${token().text}x`],
        ['E_JOIN_WRONG_CLUSTER', createToken(foundCluster(0).publicKey).text],
      ] as const
      for (const [code, text] of cases) {
        const failure = await failureOf(joinAs(second, [seed], text, 'second'))
        assert.is(failure.code, code)
        assert.ok(failure.hint !== undefined, `${code} says what to try`)
        const told = [failure.message, failure.why, failure.hint, JSON.stringify(failure.facts)].join(' ')
        assert.not(told.includes(text.split('_')[3] as string), `${code} repeats the secret`)
      }
      assert.not(ledger.state.nodes.has(second.self as NodeId))
    },
  )

  story('who shows no valid secret writes nothing to the log', async () => {
    const [seed, stranger] = [await open('seed'), await open('stranger')]
    const { cluster, ledger, token } = foundOn(seed)
    const { text } = token(-1)
    const before = ledger.state.index
    await failureOf(joinAs(stranger, [seed], text))
    await failureOf(joinAs(stranger, [seed], createToken(cluster.publicKey).text))
    assert.is(ledger.state.index, before)
  })

  story('a request id that somebody else used admits nobody', async () => {
    const [seed, joiner, thief] = [await open('seed'), await open('joiner'), await open('thief')]
    const { ledger, token } = foundOn(seed)
    const [, tokenId, , secret] = token().text.split('_')
    ledger.submit({ type: 'token/Revoke', atMs: clock.wallMs(), id: token().id }, 'used')
    await joinAs(joiner, [seed], token().text)
    const admit = { type: 'admit', tokenId, secret, requestId: 'used', facts: factsOf(thief, 'thief') }
    const values: unknown[] = []
    for await (const value of thief.callAddress(seed.addresses()[0] as string, 'join', admit, {
      timeoutMs: 5_000,
    }))
      values.push(value)
    assert.ok(ledger.state.nodes.has(thief.self as NodeId), 'it was let in by the log, not by the id')
    const long = { ...admit, requestId: 'r'.repeat(65) }
    const refused = thief.callAddress(seed.addresses()[0] as string, 'join', long, { timeoutMs: 5_000 })
    const failure = await failureOf(
      (async () => {
        for await (const _ of refused);
      })(),
    )
    assert.is(failure.code, 'E_INVALID')
  })

  story('who is a member already joins again without spending a use', async () => {
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { ledger, token } = foundOn(seed)
    await joinAs(joiner, [seed], token().text)
    const next = token()
    await joinAs(joiner, [seed], next.text)
    assert.is(ledger.state.tokens.get(next.id)?.usesLeft, 1)
  })

  story('a member that lost its log and kept its key is told what to do', async () => {
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { ledger, token } = foundOn(seed)
    await joinAs(joiner, [seed], token().text)
    ledger.commit({ type: 'node/Update', atMs: 1, node: factsOf(joiner, 'joiner') })
    const next = token()
    const failure = await failureOf(joinAs(joiner, [seed, seed], next.text))
    assert.is(failure.code, 'E_LOG_LOST')
    assert.match(failure.why ?? '', 'must not vote again under the same key')
    assert.match(failure.hint ?? '', 'tutti repair --join')
    assert.is(ledger.state.tokens.get(next.id)?.usesLeft, 1, 'no use is spent on it')
  })

  story('a member that has admitted the joiner long ago still answers it', async () => {
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { token } = foundOn(seed)
    seed.admit(new Set([seed.self, joiner.self]))
    assert.is((await joinAs(joiner, [seed], token().text)).members.length, 1)
  })

  story('seeds are tried in order, and all are named when none answers', async () => {
    const [dead, seed, joiner] = [await open('dead'), await open('seed'), await open('joiner')]
    const { token } = foundOn(seed)
    const [address] = dead.addresses()
    await dead.stop()
    const seeds = [address as string, seed.addresses()[0] as string]
    const facts = factsOf(joiner, 'joiner')
    await joinCluster({ transport: joiner, seeds, token: token().text, facts })
    const gone = [address as string, '127.0.0.1:1']
    const failure = await failureOf(
      joinCluster({ transport: joiner, seeds: gone, token: token().text, facts }),
    )
    assert.is(failure.code, 'E_UNREACHABLE')
    for (const tried of gone) assert.ok(failure.why?.includes(tried), `${failure.why} names ${tried}`)
  })

  story('nobody can ask in another’s name, and nonsense is refused', async () => {
    const [seed, joiner, thief] = [await open('seed'), await open('joiner'), await open('thief')]
    const { ledger, token } = foundOn(seed)
    const [, , , secret] = token().text.split('_')
    const facts = factsOf(joiner, 'joiner')
    const admit = { type: 'admit', tokenId: 'x', secret, requestId: 'r', facts }
    for (const request of [
      admit,
      null,
      7,
      'hello',
      { type: 'admit' },
      { type: 'hello' },
      { ...admit, facts: { ...facts, labels: 'x' } },
    ]) {
      const values = thief.callAddress(seed.addresses()[0] as string, 'join', request, { timeoutMs: 5_000 })
      const failure = await failureOf(
        (async () => {
          for await (const _ of values);
        })(),
      )
      assert.is(failure.code, 'E_INVALID')
    }
    assert.is(ledger.state.nodes.size, 1)
  })

  story('S7: neither side’s log shows the secret', async () => {
    const lines: string[] = []
    const note = (message: string, fields?: unknown) =>
      void lines.push(`${message} ${JSON.stringify(fields)}`)
    const log: Log = { error: note, warn: note, info: note, debug: note, child: () => log }
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { token } = foundOn(seed, log)
    const [good, late] = [token(), token(-1)]
    await joinAs(joiner, [seed], good.text)
    await failureOf(joinAs(await open('second'), [seed], late.text, 'second'))
    assert.is(lines.length, 2)
    for (const { text } of [good, late]) assert.not(lines.join('\n').includes(text.split('_')[3] as string))
  })

  return story
}

const inMemory = storiesOf('joining in memory', () => {
  const network = memoryNetwork({ clock, faults: { deliver: () => [1] } })
  return async who => network.transport({ self: who, listen: '127.0.0.1:0', log: silentLog })
})

const overLibp2p = storiesOf('joining over libp2p', () => async () => {
  const { privateKey } = await generateIdentity()
  return createLibp2pTransport({ privateKey, listen: '127.0.0.1:0', clock, log: silentLog })
})

inMemory.run()
overLibp2p.run()
