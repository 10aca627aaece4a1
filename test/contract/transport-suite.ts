/** What every transport must do: the contract of node/transport/transport.ts, told once and run for each of them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FRAME_BYTES_MAX } from '../../node/codec.ts'
import { Failure } from '../../node/errors.ts'
import { BUDGETS } from '../../node/transport/budgets.ts'
import type { PeerId, Transport } from '../../node/transport/transport.ts'
import { calls } from './transport-calls.ts'
import { kept } from './transport-kept.ts'
import {
  all,
  CALL,
  type Context,
  failureOf,
  has,
  mesh,
  type Peer,
  type Story,
  type TransportFixture,
  until,
  withMemory,
} from './transport-world.ts'

const messages = (story: Story): void => {
  story('members that admit each other connect and hear each other in order', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    await mesh(ash, oak)
    for (let count = 0; count < 1_000; count += 1) assert.ok(ash.send(oak.self, 'raft', { count }))
    assert.ok(oak.send(ash.self, 'raft', 'back'))
    await until('all messages', () => oak.heard.length === 1_000 && ash.heard.length === 1)
    assert.equal(
      oak.heard.map(([, message]) => (message as { count: number }).count),
      [...Array(1_000).keys()],
    )
    assert.ok(oak.heard.every(([from]) => from === ash.self))
    assert.ok(has(ash, 'connected', oak) && has(oak, 'connected', ash))
  })

  story('a member that says too much is cut off for a while, and nobody else is', async ({ open }) => {
    const [ash, oak, elm] = [await open('ash'), await open('oak'), await open('elm')]
    let heard = 0
    for (const peer of [ash, oak, elm]) peer.onMessage('swim', () => (heard += 1))
    await mesh(ash, oak, elm)
    const { burst } = BUDGETS.swim.messages
    for (let count = 0; count < 2 * burst; count += 1) ash.send(oak.self, 'swim', 0)
    await until('it is cut off', () => has(oak, 'disconnected', ash))
    assert.ok(heard < 1.5 * burst, `${heard} were heard`)
    assert.ok(oak.connected().has(elm.self) && ash.connected().has(elm.self))
    await until('it may come back', () => oak.connected().has(ash.self) && ash.connected().has(oak.self))
  })

  story('a message is a copy: what the sender changes later does not arrive', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    await mesh(ash, oak)
    const message = { deep: { value: 1 }, bytes: new Uint8Array([1, 2, 3]) }
    ash.send(oak.self, 'raft', message)
    message.deep.value = 2
    message.bytes[0] = 9
    await until('the message', () => oak.heard.length === 1)
    const [, got] = oak.heard[0] as [PeerId, typeof message]
    assert.is(got.deep.value, 1)
    assert.equal([...got.bytes], [1, 2, 3])
  })

  story('nothing is sent to a stranger, to an unknown address or beyond the frame', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    assert.not(ash.send(oak.self, 'raft', 'hello'))
    ash.admit(new Set([ash.self, oak.self]))
    assert.not(ash.send(oak.self, 'raft', 'hello'))
    await mesh(ash, oak)
    assert.not(ash.send(oak.self, 'raft', new Uint8Array(FRAME_BYTES_MAX + 1)))
    assert.ok(ash.send(oak.self, 'raft', new Uint8Array(FRAME_BYTES_MAX - 64)))
    await until('the large message', () => oak.heard.length === 1)
  })

  story('a node that one side has not admitted is heard by nobody, until it is', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    ash.setAddresses(oak.self, oak.addresses())
    ash.admit(new Set([ash.self, oak.self]))
    ash.send(oak.self, 'raft', 'too early')
    await new Promise(resolve => setTimeout(resolve, 300))
    assert.is(ash.connected().size + oak.connected().size, 0)
    assert.equal(oak.heard, [])
    oak.admit(new Set([ash.self, oak.self]))
    await until('the connection', () => ash.connected().has(oak.self) && oak.connected().has(ash.self))
    ash.send(oak.self, 'raft', 'now')
    await until('the message', () => oak.heard.length === 1)
    assert.equal(oak.heard, [[ash.self, 'now']])
  })

  story('one side that knows an address is enough, whichever it is', async ({ open }) => {
    const peers = [await open('ash'), await open('oak')] as const
    const [lower, higher] = peers[0].self < peers[1].self ? peers : ([peers[1], peers[0]] as const)
    higher.setAddresses(lower.self, lower.addresses())
    for (const peer of peers) peer.admit(new Set(peers.map(each => each.self)))
    await until('the connection', () => peers.every(peer => peer.connected().size === 1))
  })

  story('a rumour reaches every other member under its author’s name', async ({ open }) => {
    const peers = await Promise.all(['ash', 'oak', 'elm', 'fir'].map(who => open(who)))
    const got: [number, PeerId, unknown][] = []
    for (const [index, peer] of peers.entries())
      peer.onPublished('rumors', (from, rumor) => got.push([index, from, rumor]))
    await mesh(...peers)
    const author = peers[0] as Peer
    await until('subscriptions', () => {
      author.publish('rumors', 'warm up')
      return new Set(got.map(([index]) => index)).size === 3
    })
    author.publish('rumors', { dead: 'elm' })
    await until('the rumour', () => got.filter(([, , rumor]) => typeof rumor === 'object').length === 3)
    const last = got.filter(([, , rumor]) => typeof rumor === 'object')
    assert.equal(new Set(last.map(([index]) => index)), new Set([1, 2, 3]))
    assert.ok(last.every(([, from]) => from === author.self))
  })
}

const admission = (story: Story): void => {
  story(
    'a stranger may call join by address; the proven peer comes before the request leaves',
    async ({ open }) => {
      const [seed, joiner] = [await open('seed'), await open('joiner')]
      const requests: unknown[] = []
      seed.onCall('join', async function* ({ from, request }) {
        requests.push([from, request])
        yield 'welcome'
      })
      const [address] = seed.addresses()
      const values = joiner.callAddress(address as string, 'join', { hello: 1 }, CALL)[Symbol.asyncIterator]()
      assert.is((await values.next()).value, seed.self)
      await new Promise(resolve => setTimeout(resolve, 100))
      assert.equal(requests, [])
      assert.is((await values.next()).value, 'welcome')
      assert.ok((await values.next()).done)
      assert.equal(requests, [[joiner.self, { hello: 1 }]])
      assert.is(joiner.connected().size + seed.connected().size, 0)
      assert.equal([...seed.events, ...joiner.events], [])
    },
  )

  story(
    'a joiner that was admitted during its call gets the answer and becomes a member',
    async ({ open }) => {
      const [seed, joiner] = [await open('seed'), await open('joiner')]
      seed.onCall('join', async function* ({ from }) {
        seed.setAddresses(from, joiner.addresses())
        seed.admit(new Set([seed.self, from]))
        await new Promise(resolve => setTimeout(resolve, 50))
        yield 'welcome'
      })
      const [address] = seed.addresses()
      assert.equal(await all(joiner.callAddress(address as string, 'join', null, CALL)), [
        seed.self,
        'welcome',
      ])
      joiner.setAddresses(seed.self, seed.addresses())
      joiner.admit(new Set([seed.self, joiner.self]))
      await until('the connection', () => joiner.connected().size === 1 && seed.connected().size === 1)
      joiner.send(seed.self, 'raft', 'in')
      await until('the message', () => seed.heard.length === 1)
    },
  )

  story('nobody at the address is told with the address', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    const [address] = oak.addresses()
    await oak.stop()
    const failure = await failureOf(ash.callAddress(address as string, 'join', null, CALL))
    assert.is(failure.code, 'E_UNREACHABLE')
    assert.match(failure.message, address as string)
  })

  story(
    'who is no longer admitted is cut off at once, and is a stranger from then on, heard in the join protocol only',
    async ({ open }) => {
      const [ash, oak, elm] = [await open('ash'), await open('oak'), await open('elm')]
      await mesh(ash, oak, elm)
      let joins = 0
      ash.onCall('join', async function* () {
        joins += 1
        yield 'you have left'
      })
      ash.onCall('api', async function* () {
        yield 'for members'
      })
      ash.admit(new Set([ash.self, elm.self]))
      assert.not(ash.send(oak.self, 'raft', 'after'))
      await until('both see it', () => has(ash, 'disconnected', oak) && has(oak, 'disconnected', ash))
      const [address] = ash.addresses()
      assert.is((await all(oak.callAddress(address as string, 'join', null, CALL)))[1], 'you have left')
      const { code } = await failureOf(oak.call(ash.self, 'api', null, { timeoutMs: 500 }))
      assert.ok(code === 'E_UNREACHABLE' || code === 'E_TIMEOUT', code)
      oak.send(ash.self, 'raft', 'still here')
      await new Promise(resolve => setTimeout(resolve, 300))
      assert.is(joins, 1)
      assert.equal(ash.heard, [])
      assert.equal([...ash.connected()], [elm.self])
    },
  )
}

const life = (story: Story): void => {
  story('a member that stops is seen at once, and its host’s refusal after that', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    await mesh(ash, oak)
    await oak.stop()
    await until('the end', () => has(ash, 'disconnected', oak, 'closed'))
    await until('the refusal', () => has(ash, 'disconnected', oak, 'refused'))
    assert.is(ash.connected().size, 0)
    const refusals = ash.events.filter(event => event.type === 'disconnected' && event.cause === 'refused')
    assert.is(refusals.length, 1)
  })

  story('a member that comes back at its address is found again', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    await mesh(ash, oak)
    const [address] = oak.addresses()
    await oak.stop()
    await until('the end', () => ash.connected().size === 0)
    const again = await open('oak', address)
    again.admit(new Set([ash.self, again.self]))
    assert.is(again.self, oak.self)
    await until('the connection', () => ash.connected().size === 1 && again.connected().size === 1)
    ash.send(again.self, 'raft', 'welcome back')
    await until('the message', () => again.heard.length === 1)
  })

  story('a member that comes back elsewhere is found by its new address', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    await mesh(ash, oak)
    await oak.stop()
    await until('the end', () => ash.connected().size === 0)
    const again = await open('oak')
    again.admit(new Set([ash.self, again.self]))
    ash.setAddresses(again.self, [...oak.addresses(), ...again.addresses()])
    await until('the connection', () => ash.connected().size === 1 && again.connected().size === 1)
  })

  story('a taken port is told with why and what to try', async ({ fixture, open }) => {
    const ash = await open('ash')
    const second = await fixture.make('oak', ash.addresses()[0])
    try {
      await second.start()
      assert.unreachable('two nodes on one port')
    } catch (thrown) {
      assert.instance(thrown, Failure)
      const failure = thrown as Failure
      assert.is(failure.code, 'E_PORT_IN_USE')
      assert.ok(failure.why !== undefined && failure.hint !== undefined)
      assert.match(failure.message, ash.addresses()[0] as string)
    }
    await second.stop()
  })

  story('stop is idempotent, and a stopped node neither sends nor speaks', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    await mesh(ash, oak)
    await ash.stop()
    await ash.stop()
    assert.not(ash.send(oak.self, 'raft', 'hello'))
    ash.publish('rumors', 'hello')
    assert.equal(ash.addresses(), [])
    assert.is((await failureOf(ash.call(oak.self, 'api', null, CALL))).code, 'E_UNREACHABLE')
  })
}

/** The stories of the whole contract under this name. */
export const transportStories = (name: string, makeFixture: () => TransportFixture): Story => {
  const story = suite<Context>(name)
  let running: Transport[] = []
  story.before.each(context => {
    context.fixture = makeFixture()
    context.open = async (who, listen) => {
      const peer = withMemory(await context.fixture.make(who, listen))
      await peer.start()
      running.push(peer)
      return peer
    }
  })
  story.after.each(async context => {
    await Promise.all(running.map(peer => peer.stop()))
    running = []
    await context.fixture.close()
  })
  messages(story)
  calls(story)
  admission(story)
  life(story)
  kept(story)
  return story
}
