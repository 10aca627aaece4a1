import { isDeepStrictEqual } from 'node:util'
import { Packr } from 'msgpackr'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodePlain } from '../../node/plain-decoder.ts'
import { type Prng, prng } from '../harness/prng.ts'

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  int64AsType: 'number',
})

const TEXTS = [
  '',
  'a',
  'workload/Apply',
  'sixteen bytes :)',
  'seventeen bytes…!',
  'grün',
  '日本',
  '🎼',
  'x'.repeat(300),
]
const NUMBERS = [
  0,
  1,
  -1,
  -32,
  -33,
  -129,
  -40_000,
  127,
  128,
  255,
  256,
  65_536,
  2 ** 32,
  1_795_541_230_396,
  0.5,
  1e300,
]
const NAMES = [
  'type',
  'term',
  'entries',
  'größe',
  'a-name-that-is-longer-than-one-byte-of-a-head-tells',
  'constructor',
]

type Data = { readonly data: Uint8Array }

const anyValue = (dice: Prng, depth: number): unknown => {
  const list = (): unknown[] => Array.from({ length: dice.between(0, 20) }, () => anyValue(dice, depth - 1))
  const map = (): object => {
    const names = [...NAMES, ...Array.from({ length: 15 }, (_, number) => `key ${number}`)]
    return Object.fromEntries(
      dice
        .shuffle(names)
        .slice(dice.between(0, 20))
        .map(name => [name, anyValue(dice, depth - 1)]),
    )
  }
  switch (dice.between(0, depth > 0 ? 7 : 5)) {
    case 0:
      return dice.pick(TEXTS)
    case 1:
      return dice.pick(NUMBERS)
    case 2:
      return dice.pick([null, true, false])
    case 3:
      return dice.between(-(2 ** 40), 2 ** 40)
    case 4:
      return new Uint8Array(dice.pick([0, 3, 300, 70_000])).fill(dice.between(0, 255))
    case 5:
      return `${dice.random()}`
    case 6:
      return list()
    default:
      return map()
  }
}

test('property: plain values are read as msgpackr reads them', () => {
  const dice = prng(1)
  let count = 0
  for (let trial = 0; trial < 300; trial++) {
    const bytes = new Uint8Array(packr.pack(anyValue(dice, 3)))
    const plain = decodePlain(bytes)
    if (plain === null) continue
    count++
    assert.ok(isDeepStrictEqual(plain.value, packr.unpack(bytes)), `trial ${trial}`)
  }
  assert.ok(count > 100, `only ${count} of 300 were plain`)
})

test('property: whatever the bytes, msgpackr would have read the same or nothing is read', () => {
  const dice = prng(2)
  let count = 0
  for (let trial = 0; trial < 5_000; trial++) {
    const bytes = new Uint8Array(packr.pack(anyValue(dice, 1)))
    for (let change = 0; change < 3; change++)
      bytes[dice.between(0, Math.min(bytes.length, 60))] = dice.between(0, 255)
    const given = dice.chance(0.3) ? bytes.subarray(0, dice.between(0, bytes.length)) : bytes
    const plain = decodePlain(given)
    if (plain === null) continue
    count++
    assert.ok(isDeepStrictEqual(plain.value, packr.unpack(given)), `trial ${trial}`)
  }
  assert.ok(count > 500, `only ${count} were read`)
})

test('a message and a request of the log are plain', () => {
  const request = {
    requestId: 'r',
    command: { type: 'node/Drain', id: 'n', atMs: 1_795_541_230_396 },
    afterIndex: 7,
  }
  const data = packr.pack(request)
  assert.equal(decodePlain(data)?.value, request)
  const message = {
    type: 'append',
    term: 2,
    entries: [{ type: 'normal', index: 8, term: 2, data }],
    commit: 7,
  }
  assert.equal(decodePlain(packr.pack(message))?.value, message)
})

test('bytes are parts of those given, and of their kind', () => {
  const bytes = new Uint8Array(packr.pack({ data: new Uint8Array([1, 2, 3]) }))
  const given = decodePlain(bytes)?.value as Data
  assert.is(given.data.buffer, bytes.buffer)
  assert.is(given.data.constructor, Uint8Array)
  const inBuffer = decodePlain(Buffer.from(bytes))?.value as Data
  assert.ok(Buffer.isBuffer(inBuffer.data))
})

test('what could be read in two ways is left to msgpackr', () => {
  const half = Uint8Array.of(0xa3, 0xed, 0xa0, 0x80)
  const proto = packr.pack(JSON.parse('{"__proto__":1}'))
  for (const bytes of [half, proto, packr.pack([undefined]), packr.pack(2n ** 60n), packr.pack(new Date(0))])
    assert.is(decodePlain(bytes), null)
})

test('nobody is given room for more than came', () => {
  assert.is(decodePlain(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)), null)
  assert.is(decodePlain(Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)), null)
  assert.is(decodePlain(Buffer.alloc(200_000, 0x91)), null)
})

test.run()
