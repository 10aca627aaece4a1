/** Real connections at rest, on a clock on which minutes pass in seconds. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { silentLog } from '../../node/log.ts'
import { generateIdentity } from '../../node/transport/identity.ts'
import { IDLE_MS_MAX } from '../../node/transport/idle.ts'
import { createLibp2pTransport } from '../../node/transport/libp2p.ts'
import { fastClock, has, mesh, type Peer, until, withMemory } from './transport-world.ts'

const story = suite('connections at rest')
let closing: (() => Promise<void>)[] = []
story.after.each(async () => {
  await Promise.all(closing.map(close => close()))
  closing = []
})

const open = async (): Promise<Peer> => {
  const { privateKey } = await generateIdentity()
  const peer = withMemory(
    await createLibp2pTransport({ privateKey, listen: '127.0.0.1:0', clock: fastClock, log: silentLog }),
  )
  await peer.start()
  closing.push(() => peer.stop())
  return peer
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => fastClock.after(ms, resolve))

story(
  'one that nobody keeps is let go by both, and taken up again when there is something to say',
  async () => {
    const [ash, oak] = [await open(), await open()]
    await mesh(ash, oak)
    for (const peer of [ash, oak]) peer.keep(new Set())
    await until('it is let go', () => ash.connected().size === 0 && oak.connected().size === 0)
    assert.ok(has(ash, 'disconnected', oak, 'idle') && has(oak, 'disconnected', ash, 'idle'))
    await sleep(IDLE_MS_MAX)
    assert.is(ash.connected().size, 0, 'it stays away')
    assert.ok(ash.send(oak.self, 'raft', 'again'))
    await until('the message', () => oak.heard.length === 1)
  },
)

story('one that is in use, or kept by one side, stays', async () => {
  const [ash, oak, elm] = [await open(), await open(), await open()]
  await mesh(ash, oak, elm)
  ash.keep(new Set([elm.self]))
  for (const peer of [oak, elm]) peer.keep(new Set())
  oak.onCall('api', async function* ({ signal }) {
    yield 'a long story'
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
  })
  const session = ash.call(oak.self, 'api', null, { timeoutMs: 60_000 })[Symbol.asyncIterator]()
  assert.is((await session.next()).value, 'a long story')
  for (let saidMs = 0; saidMs < 3 * IDLE_MS_MAX; saidMs += 5_000) {
    ash.send(elm.self, 'raft', saidMs)
    await sleep(5_000)
  }
  assert.ok(ash.connected().has(oak.self), 'a call is under way')
  assert.ok(ash.connected().has(elm.self), 'it is spoken to')
  assert.not(oak.connected().has(elm.self), 'at rest')
  await session.return?.()
  await until('it is let go', () => !ash.connected().has(oak.self))
  assert.ok(ash.connected().has(elm.self))
})

story.run()
