import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gathering, HELD_CREDIT_BYTES_MAX } from '../../../node/transport/gather.ts'

type Fake = MessageStream & { readonly sent: string[]; isClosed: boolean }

const fake = (onSend: (bytes: Uint8Array) => void = () => undefined): Fake => {
  const sent: string[] = []
  const stream = {
    sent,
    isClosed: false,
    status: 'open',
    writableNeedsDrain: false,
    send(data: Uint8Array) {
      sent.push(Buffer.from(data).toString('latin1'))
      onSend(data)
      return true
    },
    close() {
      stream.isClosed = true
      return Promise.resolve()
    },
  }
  return stream as unknown as Fake
}

/** A secured connection whose encryption changes nothing, over a raw one. */
const open = async (parts: object = {}): Promise<{ readonly secured: Fake; readonly raw: Fake }> => {
  const raw = fake()
  const secured = Object.assign(
    fake(bytes => raw.send(bytes)),
    parts,
  )
  const encrypter = {
    protocol: '/plain',
    secureInbound: async () => ({ connection: secured }),
    secureOutbound: async () => ({ connection: secured }),
  } as unknown as ConnectionEncrypter
  await gathering(encrypter).secureOutbound(raw)
  return { secured, raw }
}

const frame = (text: string): Uint8Array => Buffer.from(text, 'latin1')

const credit = (bytes: number, flags = 0): Uint8Array => {
  const header = Buffer.from([0, 1, 0, flags, 0, 0, 0, 3, 0, 0, 0, 0])
  header.writeUInt32BE(bytes, 8)
  return header
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('all frames of one turn leave as one write, those of its microtasks included', async () => {
  const { secured, raw } = await open()
  secured.send(frame('a'))
  queueMicrotask(() => queueMicrotask(() => secured.send(frame('b'))))
  assert.equal(raw.sent, [])
  await turn()
  assert.equal(raw.sent, ['ab'])
  secured.send(frame('c'))
  await turn()
  assert.equal(raw.sent, ['ab', 'c'])
})

test('a credit waits for company, in its place', async () => {
  const { secured, raw } = await open()
  secured.send(credit(100))
  await turn()
  assert.equal(raw.sent, [])
  secured.send(frame('a'))
  await turn()
  assert.equal(raw.sent, [`${Buffer.from(credit(100)).toString('latin1')}a`])
})

test('credits leave alone before a sender could wait for them', async () => {
  const { secured, raw } = await open()
  for (let sum = 0; sum < HELD_CREDIT_BYTES_MAX; sum += HELD_CREDIT_BYTES_MAX / 4)
    secured.send(credit(HELD_CREDIT_BYTES_MAX / 4))
  await turn()
  assert.equal(raw.sent, [])
  secured.send(credit(1))
  await turn()
  assert.is(raw.sent.length, 1)
  assert.is(raw.sent[0]?.length, 5 * 12)
})

test('a credit that opens or ends a stream is no mere credit', async () => {
  const { secured, raw } = await open()
  secured.send(credit(0, 1))
  await turn()
  assert.is(raw.sent.length, 1)
})

test('closing lets what waits leave first', async () => {
  const { secured, raw } = await open()
  secured.send(frame('last words'))
  await raw.close()
  assert.equal(raw.sent, ['last words'])
  assert.ok(raw.isClosed)
})

test('a connection that takes no more says so, and nothing is written to one that broke', async () => {
  const { secured, raw } = await open()
  secured.writableNeedsDrain = true
  assert.is(secured.send(frame('a')), false)
  secured.status = 'aborted'
  await turn()
  assert.equal(raw.sent, [])
})

test('that no further record has come is told by an error that was made once', async () => {
  const decoder = {
    lengthDecoder(data: Uint8Array): number {
      if (data.length < 2) throw new RangeError('of its own')
      return (data[0] ?? 0) * 256 + (data[1] ?? 0)
    },
  }
  await open({ decoder })
  const errors = [0, 1, 0].map(length => {
    try {
      return decoder.lengthDecoder(new Uint8Array(length))
    } catch (thrown) {
      return thrown
    }
  })
  assert.instance(errors[0], RangeError)
  assert.ok(errors.every(error => error === errors[0]))
  assert.is(decoder.lengthDecoder(Uint8Array.of(1, 2, 3)), 258)
})

test.run()
