import { Readable } from 'node:stream'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { framesOf, linesOf } from '../../../node/runtime/docker-stream.ts'

const frame = (stream: 1 | 2, text: string): Buffer => {
  const payload = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}

const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = []
  let at = 0
  for (let n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

test('frames come out whole, however the bytes were cut', async () => {
  const message = fc.record({
    stream: fc.constantFrom(1 as const, 2 as const),
    text: fc.string({ maxLength: 40 }),
  })
  const property = fc.asyncProperty(
    fc.array(message, { maxLength: 12 }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
    async (messages, sizes) => {
      const bytes = Buffer.concat(messages.map(({ stream, text }) => frame(stream, text)))
      const seen: string[] = []
      for await (const { stream, payload } of framesOf(Readable.from(cut(bytes, sizes))))
        seen.push(`${stream} ${payload}`)
      assert.equal(
        seen,
        messages.map(({ stream, text }) => `${stream === 2 ? 'stderr' : 'stdout'} ${text}`),
      )
    },
  )
  await fc.assert(property, { numRuns: 100 })
})

test('lines carry the engine’s time; the two streams do not mix', async () => {
  const bytes = [
    frame(1, '2026-01-01T00:00:01.5Z one\n2026-01-01T00:00:02Z tw'),
    frame(2, '2026-01-01T00:00:03.123456789Z err\n'),
    frame(1, 'o\n2026-01-01T00:00:04Z \n2026-01-01T00:00:05Z open'),
  ]
  const seen: [number, string, string][] = []
  for await (const { atMs, stream, line } of linesOf(Readable.from(bytes)))
    seen.push([atMs - Date.parse('2026-01-01T00:00:00Z'), stream, line])
  assert.equal(seen, [
    [1_500, 'stdout', 'one'],
    [3_123, 'stderr', 'err'],
    [2_000, 'stdout', 'two'],
    [4_000, 'stdout', ''],
    [5_000, 'stdout', 'open'],
  ])
})

test('who stops reading closes the stream', async () => {
  const source = Readable.from([frame(1, 'a'), frame(1, 'b')])
  for await (const _ of framesOf(source)) break
  assert.ok(source.destroyed)
})

test.run()
