import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameReader, frameOf } from '../../../node/transport/frames.ts'

const read = (
  chunks: readonly Uint8Array[],
  bytesMax = 1_000,
): { readonly got: number[][]; readonly ok: boolean } => {
  const got: number[][] = []
  const reader = new FrameReader(payload => got.push([...payload]), bytesMax)
  const ok = chunks.every(chunk => reader.feed(chunk))
  return { got, ok }
}

const cut = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const chunks: Uint8Array[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

test('frames come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 6 }),
      (payloads, sizes) => {
        const { got, ok } = read(cut(Buffer.concat(payloads.map(frameOf)), sizes))
        assert.ok(ok)
        assert.equal(
          got,
          payloads.map(payload => [...payload]),
        )
      },
    ),
  )
})

test('a header beyond the limit ends the stream before anything is kept for it', () => {
  assert.not(read([Buffer.from([0, 0, 3, 233])]).ok)
  assert.ok(read([Buffer.from([0, 0, 3, 232])]).ok)
  assert.not(read([Buffer.from([0xff]), Buffer.from([0xff, 0xff, 0xff])]).ok)
})

test('frames before a broken one are delivered', () => {
  const { got, ok } = read([Buffer.concat([frameOf(Buffer.from([7])), Buffer.from([255, 0, 0, 0])])])
  assert.equal([got, ok], [[[7]], false])
})

test('after stop nothing more is delivered, not even from the same chunk', () => {
  const got: number[] = []
  const reader = new FrameReader(payload => {
    got.push(payload[0] as number)
    reader.stop()
  }, 100)
  assert.ok(reader.feed(Buffer.concat([frameOf(Buffer.from([1])), frameOf(Buffer.from([2]))])))
  assert.ok(reader.feed(frameOf(Buffer.from([3]))))
  assert.equal(got, [1])
})

test('any bytes at all are frames or a refusal, never a crash', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), chunks => void read(chunks)))
})

test.run()
