// The table of features in raft/README.md is true: what it names is there.
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PLANTS } from '../../simulation/plants.ts'

const ROOT = new URL('../../../', import.meta.url)
/** What a cell says of a feature that is not there yet. */
const NONE = '—'

type Row = { readonly number: number; readonly code: string; readonly proof: string }

const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const exists = (path: string): boolean => existsSync(new URL(path, ROOT))

const rowsOf = (readme: string): readonly Row[] =>
  [...readme.matchAll(/^\| (\d+) \| .* \| (.*) \| (.*) \|$/gm)].map(([, number, code, proof]) => ({
    number: Number(number),
    code: code as string,
    proof: proof as string,
  }))

/** A file, then the names that are to be found in it. */
const missingInCode = (cell: string): readonly string[] => {
  let file: string | null = null
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => {
    const word = name as string
    if (!word.endsWith('.ts')) return file !== null && textOf(file).includes(word) ? [] : [word]
    file = word.includes('/') ? word : `raft/${word}`
    if (exists(file)) return []
    file = null
    return [word]
  })
}

const missingInProof = (cell: string): readonly string[] => [
  ...[...cell.matchAll(/\*([a-z0-9-]+)\*/g)]
    .map(([, name]) => `test/unit/raft/transcripts/${name}.txt`)
    .filter(path => !exists(path)),
  ...[...cell.matchAll(/`([a-z/.-]+\.test\.ts)` “([^”]+)”/g)]
    .filter(([, file, name]) => !hasTest(`test/${file}`, name as string))
    .map(([found]) => found),
  ...[...cell.matchAll(/plant `([^`]+)`/g)]
    .map(([, name]) => name as string)
    .filter(name => !PLANTS.some(plant => plant.name === name)),
]

/** A test, of whatever suite, whose name begins so. */
const hasTest = (path: string, name: string): boolean =>
  exists(path) && ["('", '(`', '("'].some(opening => textOf(path).includes(`${opening}${name}`))

/** Anything in a cell that is none of the forms above. */
const strayIn = (cell: string): string =>
  cell
    .replaceAll(/`[a-z/.-]+\.test\.ts` “[^”]+”|\*[a-z0-9-]+\*|plant `[^`]+`/g, '')
    .replaceAll(/[,; ]/g, '')
    .replace(NONE, '')

const ROWS = rowsOf(textOf('raft/README.md'))

test('the table has its rows, each number once and in order', () => {
  assert.ok(ROWS.length >= 38)
  const numbers = ROWS.map(({ number }) => number)
  assert.equal(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
})

test('every file and every name in the code column exists', () => {
  const missing = ROWS.flatMap(({ number, code }) => missingInCode(code).map(what => `${number}: ${what}`))
  assert.equal(missing, [])
})

test('every conversation, test and plant in the proof column exists', () => {
  const missing = ROWS.flatMap(({ number, proof }) => missingInProof(proof).map(what => `${number}: ${what}`))
  assert.equal(missing, [])
})

test('a proof is a conversation, a named test or a plant, and nothing else', () => {
  const stray = ROWS.filter(({ proof }) => strayIn(proof) !== '').map(row => `${row.number}: ${row.proof}`)
  assert.equal(stray, [])
})

test('whatever has code has a proof', () => {
  const unproved = ROWS.filter(({ code, proof }) => code !== NONE && proof === NONE).map(row => row.number)
  assert.equal(unproved, [])
})

test('what is not there is noticed', () => {
  assert.equal(missingInCode('`nowhere.ts` `nothing`'), ['nowhere.ts', 'nothing'])
  assert.equal(missingInCode('`core.ts` `mayCampaign` `mayDance`'), ['mayDance'])
  assert.equal(missingInProof('*no-such-talk*, plant `no-such-bug`').length, 2)
  assert.equal(missingInProof('`unit/raft/rules.test.ts` “no such test”').length, 1)
  assert.is(strayIn('`rules`'), '`rules`')
})

test.run()
