/** What a token's secret is worth and who gets to see it, over both transports; and the one word that ends a membership. */
import * as assert from 'uvu/assert'
import { encode } from '../../../node/codec.ts'
import { foundCluster } from '../../../node/founding.ts'
import type { Log } from '../../../node/log.ts'
import { signAs } from '../../../node/membership/cluster-proof.ts'
import { askAt } from '../../../node/membership/join.ts'
import { WRONG_PROOFS_PER_MINUTE } from '../../../node/membership/join-service.ts'
import { askStanding } from '../../../node/membership/standing.ts'
import { createToken, hashSecret } from '../../../node/membership/token.ts'
import type { Transport } from '../../../node/transport/transport.ts'
import type { NodeId } from '../../../scheduler/index.ts'
import { clock, factsOf, failureOf, foundOn, HOUR_MS, tellOfJoining } from './join-world.ts'

const stories = tellOfJoining('tokens', (story, { open, joinAs }) => {
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
    'S2: no word of a joiner holds the secret, not even to a member, and no proof serves twice',
    async () => {
      const [seed, joiner] = [await open('seed'), await open('joiner')]
      const said: unknown[] = []
      const onCall: Transport['onCall'] = (protocol, responder) =>
        seed.onCall(protocol, call => {
          said.push(call.request)
          return responder(call)
        })
      const { token, ledger } = foundOn({
        ...seed,
        self: seed.self,
        onCall,
        addresses: () => seed.addresses(),
      })
      const { text } = token()
      await joinAs(joiner, [seed], text)
      assert.is(said.length, 2)
      const secret = text.split('_')[3] as string
      const bytes = Buffer.from(encode(said))
      assert.not(bytes.includes(secret))
      assert.not(bytes.includes(Buffer.from(secret).toString('base64')))
      const again = await failureOf(askAt(joiner, seed.addresses()[0] as string, said[1], 5_000))
      assert.is(again.code, 'E_INVALID')
      assert.match(again.message, 'none is open')
      assert.is(ledger.state.nodes.size, 2)
    },
  )

  story('a joiner of the version before shows its secret, and is let in', async () => {
    const [seed, joiner, second] = [await open('seed'), await open('joiner'), await open('second')]
    const { ledger, token } = foundOn(seed)
    const [, tokenId, , secret = ''] = token().text.split('_')
    const old = {
      id: 'old',
      kind: 'join',
      secretHash: hashSecret(secret),
      role: 'viewer',
      labels: {},
    } as const
    ledger.commit({
      type: 'token/Create',
      atMs: clock.wallMs(),
      token: { ...old, uses: 1, expiresAtMs: clock.wallMs() + HOUR_MS },
    })
    for (const [id, from] of [
      [tokenId, joiner],
      // And this token was made by the version before.
      ['old', second],
    ] as const) {
      const facts = factsOf(from, `n${id}`.slice(0, 8))
      const request = { type: 'admit', tokenId: id, secret, requestId: 'r', facts }
      await askAt(from, seed.addresses()[0] as string, request, 5_000)
      assert.ok(ledger.state.nodes.has(from.self as NodeId))
    }
  })

  story('a member of the version before is not shown the secret', async () => {
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { cluster, token } = foundOn(seed)
    const said: unknown[] = []
    seed.onCall('join', async function* ({ from, request }) {
      said.push(request)
      const { nonce } = request as { readonly nonce: string }
      const signature = signAs(cluster, { says: 'join', nonce, asker: from, member: seed.self })
      yield { clusterPublicKey: cluster.publicKey, signature }
    })
    const failure = await failureOf(joinAs(joiner, [seed], token().text))
    assert.is(failure.code, 'E_UNREACHABLE')
    assert.match(failure.hint ?? '', 'upgraded')
    assert.is(said.length, 1)
  })

  story('who guesses is not listened to any more for a while, whatever it comes with', async () => {
    const [seed, joiner] = [await open('seed'), await open('joiner')]
    const { cluster, ledger, token } = foundOn(seed)
    for (let count = 0; count < WRONG_PROOFS_PER_MINUTE; count += 1) {
      const { code } = await failureOf(joinAs(joiner, [seed], createToken(cluster.publicKey).text))
      assert.is(code, 'E_JOIN_TOKEN_UNKNOWN')
    }
    assert.is((await failureOf(joinAs(joiner, [seed], token().text))).code, 'E_BUSY')
    assert.is(ledger.state.nodes.size, 1)
  })

  story('who has left is told so in the cluster’s name, and nobody else is', async () => {
    const [seed, joiner, thief] = [await open('seed'), await open('joiner'), await open('thief')]
    const { cluster, ledger, token } = foundOn(seed)
    await joinAs(joiner, [seed], token().text)
    const address = seed.addresses()[0] as string
    const standing = (who: Transport) => askStanding(who, address, cluster.publicKey)
    assert.is(await standing(joiner), 'unsaid')
    ledger.commit({ type: 'node/Leave', atMs: clock.wallMs(), id: joiner.self as NodeId })
    assert.is(await standing(joiner), 'left')
    assert.is(await standing(thief), 'unsaid')
    assert.is(
      await askStanding(joiner, address, foundCluster(0).publicKey),
      'unsaid',
      'another cluster says so',
    )
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
})

stories.run()
