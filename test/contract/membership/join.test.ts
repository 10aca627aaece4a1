/** Joining over both transports: who is let in by the log, and what each refusal says. */
import * as assert from 'uvu/assert'
import { foundCluster } from '../../../node/founding.ts'
import { joinCluster } from '../../../node/membership/join.ts'
import { createToken } from '../../../node/membership/token.ts'
import type { NodeId } from '../../../scheduler/index.ts'
import { clock, factsOf, failureOf, foundOn, tellOfJoining } from './join-world.ts'

const stories = tellOfJoining('joining', (story, { open, joinAs }) => {
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
})

stories.run()
