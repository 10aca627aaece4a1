/** Who is not kept in touch with: dialled when something is said, refused when it is a stranger, and a member like any other. */
import * as assert from 'uvu/assert'
import { firstOf } from '../../node/transport/transport.ts'
import { CALL, failureOf, has, introduce, mesh, type Story, until } from './transport-world.ts'

export const kept = (story: Story): void => {
  story('whom nobody keeps in touch with is dialled when something is said', async ({ open }) => {
    const [ash, oak, elm] = [await open('ash'), await open('oak'), await open('elm')]
    for (const peer of [ash, oak, elm]) peer.keep(new Set(peer === elm ? [] : [ash.self, oak.self]))
    introduce(ash, oak, elm)
    await until('those that are kept', () => ash.connected().has(oak.self) && oak.connected().has(ash.self))
    await new Promise(resolve => setTimeout(resolve, 300))
    assert.is(elm.connected().size, 0)
    assert.is(ash.missing().size + elm.missing().size, 0)
    assert.equal(ash.near(), new Set([oak.self]))

    assert.ok(ash.send(elm.self, 'raft', 'hello'))
    await until('the message', () => elm.heard.length === 1)
    elm.onCall('api', async function* ({ from }) {
      yield ['you are', from]
    })
    assert.equal(await firstOf(oak.call(elm.self, 'api', 'who am I?', CALL)), ['you are', oak.self])
    assert.ok(elm.connected().has(ash.self) && elm.connected().has(oak.self))
    assert.equal(elm.near(), new Set(), 'connected, and not for long')
  })

  story('whoever is to be kept from now on is connected without a word', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    for (const peer of [ash, oak]) peer.keep(new Set())
    introduce(ash, oak)
    assert.equal(ash.missing(), new Set())
    ash.keep(null)
    assert.equal(ash.missing(), new Set([oak.self]))
    await until('the connection', () => ash.connected().size === 1 && oak.connected().size === 1)
    assert.equal(ash.missing(), new Set())
  })

  story(
    'one that is not kept and died is refused to whoever wants it, and told as such',
    async ({ open }) => {
      const [ash, oak] = [await open('ash'), await open('oak')]
      await mesh(ash, oak)
      ash.keep(new Set())
      await oak.stop()
      await until('the end', () => has(ash, 'disconnected', oak, 'closed'))
      await until('the refusal', () => has(ash, 'disconnected', oak, 'refused'))
      assert.is((await failureOf(ash.call(oak.self, 'api', null, CALL))).code, 'E_UNREACHABLE')
    },
  )

  story('a stranger is refused, kept or not', async ({ open }) => {
    const [ash, oak, thief] = [await open('ash'), await open('oak'), await open('thief')]
    for (const peer of [ash, oak]) peer.keep(new Set())
    introduce(ash, oak)
    thief.admit(new Set([ash.self, thief.self]))
    thief.setAddresses(ash.self, ash.addresses())
    thief.send(ash.self, 'raft', 'let me in')
    assert.is((await failureOf(thief.call(ash.self, 'api', null, { timeoutMs: 500 }))).code.slice(0, 2), 'E_')
    assert.equal(ash.heard, [])
    assert.is(ash.connected().size, 0)
  })
}
