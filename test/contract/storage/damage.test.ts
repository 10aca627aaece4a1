/**
 * One fault in the files of a node that was killed: whatever it is, the log comes up with everything that was
 * acknowledged or refuses as damaged. Never less, never something else.
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { troubleOf } from '../../../node/consensus/disk-failure.ts'
import { DiskDamage, type LoadedLog, openLogDatabase } from '../../../node/consensus/log-database.ts'
import type { SavedState } from '../../../raft/index.ts'
import { type Prng, prng } from '../../harness/prng.ts'
import { entry, metaAt, write } from './contract.ts'

const FILES = ['raft.db', 'raft.db-wal', 'raft.tail'] as const
type File = (typeof FILES)[number]

const WAL_HEADER_BYTES = 32
const FRAME_BYTES = 24 + 4096

/** The files as a kill leaves them, and what was acknowledged: after the last write, and after the one before it. */
type Killed = {
  readonly directory: string
  readonly acknowledged: SavedState
  readonly before: SavedState
  /** Where the last transaction begins in the write-ahead log. */
  readonly lastAt: number
}

/** In memory when that can be had: some two thousand openings, of which none has to outlast the power. */
const PARENT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const temporary = (): string => mkdtempSync(join(PARENT, 'tutti-damage-'))

const hardState = (commit: number) => ({ term: 3, vote: 'a', commit })

/** Part of it checkpointed, part of it not; with a tail that was replaced and a beginning that was compacted. */
const killed = (): Killed => {
  const source = temporary()
  const log = openLogDatabase({ directory: source, bytesMax: null })
  log.load()
  for (let index = 1; index <= 20; index++)
    log.write([
      write({ hardState: hardState(index - 1), entries: [entry(index, 1, 'x'.repeat(index * 97))] }),
    ])
  log.write([write({ compact: { snapshot: metaAt(10), firstIndex: 6 } })])
  while (log.maintain());
  log.write([write({ truncateFrom: 18, entries: [entry(18, 3), entry(19, 3, 'y'.repeat(9_000))] })])
  log.write([write({ entries: [entry(20, 3)] })])
  const before = log.load().saved
  const lastAt = statSync(join(source, 'raft.db-wal')).size
  log.write([write({ hardState: hardState(20), entries: [entry(21, 3, 'z'.repeat(5_000))] })])
  const acknowledged = log.load().saved
  const directory = temporary()
  cpSync(source, directory, { recursive: true })
  log.close()
  rmSync(source, { recursive: true })
  assert.ok(before !== null && acknowledged !== null)
  return { directory, acknowledged, before, lastAt }
}

type Found = LoadedLog | { readonly damage: string; readonly hint: string }

const opened = (directory: string): Found => {
  const log = openLogDatabase({ directory, bytesMax: null })
  try {
    return log.load()
  } catch (thrown) {
    const { code, text } = thrown instanceof DiskDamage ? thrown.trouble : troubleOf(log.path, thrown)
    if (code !== 'E_DISK_DAMAGED') throw thrown
    return { damage: text.message, hint: text.try ?? '' }
  } finally {
    log.close()
  }
}

const flip = (path: string, at: number, mask: number): void => {
  const bytes = readFileSync(path)
  bytes[at] = bytes[at]! ^ mask
  writeFileSync(path, bytes)
}

const test = suite<Killed & { dice: Prng }>('storage: one fault')
test.before(context => {
  Object.assign(context, killed(), { dice: prng(29, 'damage') })
})
test.after(({ directory }) => rmSync(directory, { recursive: true }))

/** What a copy with this fault comes up with. */
const withFault = ({ directory }: Killed, inflict: (copy: string) => void): Found => {
  const copy = temporary()
  cpSync(directory, copy, { recursive: true })
  inflict(copy)
  const found = opened(copy)
  // What it says must not depend on how often it is asked.
  if ('damage' in found) assert.ok('damage' in opened(copy), `${found.damage}: and then it started`)
  rmSync(copy, { recursive: true })
  return found
}

/** Bytes that mean something by their place, and as many others again. */
const places = (path: string, file: File, dice: Prng): readonly number[] => {
  const { size } = statSync(path)
  const random = Array.from({ length: 1_000 }, () => dice.between(0, size - 1))
  if (file === 'raft.tail') return Array.from({ length: size }, (_, at) => at)
  if (file === 'raft.db') return [...Array.from({ length: 100 }, (_, at) => at), ...random]
  const heads: number[] = Array.from({ length: WAL_HEADER_BYTES }, (_, at) => at)
  for (let frame = WAL_HEADER_BYTES; frame < size; frame += FRAME_BYTES)
    for (let at = 0; at < 24; at += 2) heads.push(frame + at + dice.between(0, 1))
  return [...heads, ...random]
}

for (const file of FILES)
  test(`any byte of ${file} that changes`, context => {
    const { directory, acknowledged, dice } = context
    const path = join(directory, file)
    const counts = { refused: 0, whole: 0 }
    for (const at of places(path, file, dice)) {
      const mask = dice.chance(0.5) ? 1 << dice.between(0, 7) : dice.between(1, 255)
      const found = withFault(context, copy => flip(join(copy, file), at, mask))
      if ('damage' in found) counts.refused += 1
      else {
        counts.whole += 1
        assert.equal(found.saved, acknowledged, `${file}, byte ${at}, mask ${mask}`)
      }
    }
    if (file === 'raft.tail') assert.is(counts.refused, 0, 'a witness that cannot be read proves nothing')
    else assert.ok(counts.refused > 20, `${file}: ${JSON.stringify(counts)}`)
  })

for (const file of FILES)
  test(`${file} cut anywhere`, context => {
    const { directory, acknowledged, dice } = context
    const { size } = statSync(join(directory, file))
    const cuts = [0, 1, size - 1, ...Array.from({ length: 60 }, () => dice.between(0, size - 1))]
    for (const at of cuts) {
      const found = withFault(context, copy => truncateSync(join(copy, file), at))
      if (!('damage' in found)) assert.equal(found.saved, acknowledged, `${file} cut at ${at}`)
      else if (file === 'raft.tail') assert.unreachable('a cut witness proves nothing')
    }
  })

test('the write that a kill interrupted is cut back, and said to be', context => {
  const { before, lastAt, directory, dice } = context
  const { size } = statSync(join(directory, 'raft.db-wal'))
  const earlier = Buffer.from(readFileSync(join(directory, 'raft.tail')))
  const sequenceBefore = sequenceIn(earlier) - 1
  for (let round = 0; round < 40; round++) {
    const found = withFault(context, copy => {
      writeFileSync(join(copy, 'raft.tail'), witnessOf(sequenceBefore))
      truncateSync(join(copy, 'raft.db-wal'), dice.between(lastAt + 1, size - 1))
    })
    assert.ok('saved' in found, 'it never was acknowledged')
    assert.equal(found.saved, before)
    assert.match(found.notes.join(), /never finished, from byte \d+; it was cut back/)
  }
})

test('with no witness left, only the last write can go unnoticed', context => {
  const { acknowledged, before, lastAt, directory, dice } = context
  const { size } = statSync(join(directory, 'raft.db-wal'))
  const counts = { named: 0, last: 0 }
  for (let round = 0; round < 200; round++) {
    const at = dice.between(0, size - 1)
    const found = withFault(context, copy => {
      writeFileSync(join(copy, 'raft.tail'), '')
      flip(join(copy, 'raft.db-wal'), at, 1 << dice.between(0, 7))
    })
    if ('damage' in found) {
      assert.match(found.damage, /raft\.db-wal is damaged: (its header|frame \d+ of \d+) is damaged/)
      assert.match(found.hint, /tutti /)
      counts.named += 1
    } else if (at < lastAt) assert.equal(found.saved, acknowledged, `byte ${at}`)
    else {
      assert.ok([before, acknowledged].some(({ entries }) => entries.length === found.saved?.entries.length))
      counts.last += 1
    }
  }
  assert.ok(counts.named > 80 && counts.last > 20, JSON.stringify(counts))
})

const sequenceIn = (bytes: Buffer): number => bytes.readDoubleBE(1)

/** The first format, which needs no more than a number and its CRC. */
const witnessOf = (sequence: number): Buffer => {
  const bytes = Buffer.alloc(12)
  bytes.writeDoubleBE(sequence, 0)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
  return bytes
}

test.run()
