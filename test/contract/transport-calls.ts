/** The part of the transport's contract that is about calls. */
import * as assert from 'uvu/assert'
import { FRAME_BYTES_MAX } from '../../node/codec.ts'
import { Failure } from '../../node/errors.ts'
import { firstOf } from '../../node/transport/transport.ts'
import { all, CALL, failureOf, mesh, type Story, until } from './transport-world.ts'

/** Adds the stories about calls. */
export const calls = (story: Story): void => {
  story('a call streams values in order and ends', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    oak.onCall('api', async function* ({ from, request }) {
      yield { from, request }
      for (let count = 0; count < 500; count += 1) yield count
    })
    await mesh(ash, oak)
    const values = await all(ash.call(oak.self, 'api', { path: '/x' }, CALL))
    assert.equal(values[0], { from: ash.self, request: { path: '/x' } })
    assert.equal(values.slice(1), [...Array(500).keys()])
  })

  story(
    'a responder’s failure arrives with code, text and facts, after the values before it',
    async ({ open }) => {
      const [ash, oak] = [await open('ash'), await open('oak')]
      oak.onCall('api', async function* () {
        yield 'one'
        throw new Failure(
          'E_NO_LEADER',
          { message: 'no leader', why: 'an election is on', try: 'again' },
          { facts: { term: 7 } },
        )
      })
      await mesh(ash, oak)
      const seen: unknown[] = []
      try {
        for await (const value of ash.call(oak.self, 'api', null, CALL)) seen.push(value)
        assert.unreachable()
      } catch (thrown) {
        assert.instance(thrown, Failure)
        const { code, message, why, hint, facts } = thrown as Failure
        assert.equal(
          { code, message, why, hint, facts },
          {
            code: 'E_NO_LEADER',
            message: 'no leader',
            why: 'an election is on',
            hint: 'again',
            facts: { term: 7 },
          },
        )
      }
      assert.equal(seen, ['one'])
    },
  )

  story(
    'ending the iteration early aborts the responder, and so does the caller’s signal',
    async ({ open }) => {
      const [ash, oak] = [await open('ash'), await open('oak')]
      const aborted: unknown[] = []
      oak.onCall('api', async function* ({ request, signal }) {
        yield 'first'
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
        aborted.push(request)
      })
      await mesh(ash, oak)
      assert.is(await firstOf(ash.call(oak.self, 'api', 'early', CALL)), 'first')
      await until('the responder hears of it', () => aborted.length === 1)
      const controller = new AbortController()
      const values = ash
        .call(oak.self, 'api', 'signal', { ...CALL, signal: controller.signal })
        [Symbol.asyncIterator]()
      await values.next()
      const pending = values.next().then(
        () => 'a value',
        (thrown: Failure) => thrown.code,
      )
      controller.abort()
      assert.is(await pending, 'E_UNREACHABLE')
      await until('the responder hears of it', () => aborted.length === 2)
      assert.equal(aborted, ['early', 'signal'])
    },
  )

  story('the deadline holds until the first value and not after it', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    oak.onCall('api', async function* ({ request }) {
      if (request === 'talk') yield 'soon'
      await new Promise(resolve => setTimeout(resolve, 300))
      yield 'late'
    })
    await mesh(ash, oak)
    assert.is((await failureOf(ash.call(oak.self, 'api', 'silent', { timeoutMs: 100 }))).code, 'E_TIMEOUT')
    assert.equal(await all(ash.call(oak.self, 'api', 'talk', { timeoutMs: 200 })), ['soon', 'late'])
  })

  story('a call to a stranger, to a dead member or beyond the frame says so', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    assert.is((await failureOf(ash.call(oak.self, 'api', null, CALL))).code, 'E_UNREACHABLE')
    await mesh(ash, oak)
    oak.onCall('api', async function* () {
      yield new Uint8Array(FRAME_BYTES_MAX + 1)
    })
    const huge = new Uint8Array(FRAME_BYTES_MAX + 1)
    assert.is((await failureOf(ash.call(oak.self, 'api', huge, CALL))).code, 'E_TOO_LARGE')
    assert.is((await failureOf(ash.call(oak.self, 'api', null, CALL))).code, 'E_TOO_LARGE')
    await oak.stop()
    assert.is((await failureOf(ash.call(oak.self, 'api', null, CALL))).code, 'E_UNREACHABLE')
  })

  story('a responder that dies in mid-answer is a broken call, not a complete one', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    oak.onCall('api', async function* ({ signal }) {
      yield 'first'
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    })
    await mesh(ash, oak)
    const seen: unknown[] = []
    const failing = (async () => {
      for await (const value of ash.call(oak.self, 'api', null, CALL)) {
        seen.push(value)
        void oak.stop()
      }
    })()
    const code = await failing.then(
      () => 'complete',
      (thrown: Failure) => thrown.code,
    )
    assert.equal([seen, code], [['first'], 'E_UNREACHABLE'])
  })

  story('a slow reader slows the responder down in bounded memory and misses nothing', async ({ open }) => {
    const [ash, oak] = [await open('ash'), await open('oak')]
    const chunk = new Uint8Array(64 * 1024)
    let given = 0
    oak.onCall('api', async function* () {
      for (; given < 400; given += 1) yield chunk
    })
    await mesh(ash, oak)
    const values = ash.call(oak.self, 'api', null, CALL)[Symbol.asyncIterator]()
    await values.next()
    await new Promise(resolve => setTimeout(resolve, 400))
    const ahead = given
    let count = 1
    while (!(await values.next()).done) count += 1
    assert.is(count, 400)
    assert.ok(ahead < 200, `${ahead} of 400 chunks were given to a reader that took one`)
  })
}
