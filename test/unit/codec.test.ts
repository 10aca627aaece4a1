import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode, encode } from '../../node/codec.ts'
import { Failure } from '../../node/errors.ts'

test('plain data comes back as it was', () => {
  const value = { text: 'ü', list: [1, -1, 2 ** 40, 0.5, null, true], nested: { empty: {} } }
  assert.equal(decode(encode(value)), value)
})

test('decoded bytes are parts of those given: nothing is copied', () => {
  const bytes = new Uint8Array(encode({ data: new Uint8Array([1, 2, 3]) }))
  const { data } = decode(bytes) as { data: Uint8Array }
  assert.equal([...data], [1, 2, 3])
  assert.is(data.buffer, bytes.buffer)
})

test('what is no msgpack is refused', () => {
  for (const bytes of [new Uint8Array([0x92, 0x01]), new Uint8Array(0)])
    assert.throws(
      () => decode(bytes),
      (thrown: unknown) => thrown instanceof Failure && thrown.code === 'E_INVALID',
    )
})

test.run()
