// The table of features in gossip/README.md is true: what it names is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const ROOT = new URL('../../../', import.meta.url)
const TRANSCRIPTS = 'test/unit/gossip/transcripts/'
const PROOF = /`([a-z/.-]+\.test\.ts)` “([^”]+)”|\*([a-z0-9-]+)\*/g

type Row = { readonly number: number; readonly source: string; readonly code: string; readonly proof: string }

const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const exists = (path: string): boolean => existsSync(new URL(path, ROOT))

const rowsOf = (readme: string): readonly Row[] =>
  [...readme.matchAll(/^\| (\d+) \| .* \| (.*) \| (.*) \| (.*) \|$/gm)].map(row => ({
    number: Number(row[1]),
    source: row[2] as string,
    code: row[3] as string,
    proof: row[4] as string,
  }))

/** A file, then the names that are to be found in it. */
const missingInCode = (cell: string): readonly string[] => {
  let text = ''
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, word]) => {
    const name = word as string
    if (!name.endsWith('.ts')) return text.includes(name) ? [] : [name]
    const path = name.includes('/') ? name : `gossip/${name}`
    text = exists(path) ? textOf(path) : ''
    return exists(path) ? [] : [name]
  })
}

const missingInProof = (cell: string): readonly string[] =>
  [...cell.matchAll(PROOF)].flatMap(([found, file, name, conversation]) => {
    if (conversation !== undefined) return exists(`${TRANSCRIPTS}${conversation}.txt`) ? [] : [found]
    const path = `test/${file}`
    const isThere = exists(path) && ["('", '(`'].some(opening => textOf(path).includes(`${opening}${name}`))
    return isThere ? [] : [found]
  })

const README = textOf('gossip/README.md')
const ROWS = rowsOf(README)
const missing = (find: (row: Row) => readonly string[]): readonly string[] =>
  ROWS.flatMap(row => find(row).map(what => `${row.number}: ${what}`))

test('the table has its rows, numbered in order', () => {
  assert.ok(ROWS.length >= 25)
  assert.equal(
    ROWS.map(({ number }) => number),
    ROWS.map((_, position) => position + 1),
  )
})

test('every file and every name in the code column exists', () => {
  assert.equal(
    missing(({ code }) => missingInCode(code)),
    [],
  )
})

test('every conversation and test in the proof column exists, and there is nothing else in it', () => {
  assert.equal(
    missing(({ proof }) => missingInProof(proof)),
    [],
  )
  assert.equal(
    missing(({ proof }) => (proof.replaceAll(PROOF, '').replaceAll(/[,; ]/g, '') === '' ? [] : [proof])),
    [],
  )
})

test('every feature has a source, code and a proof', () => {
  assert.equal(
    missing(({ source, code, proof }) => {
      const isWhole =
        /^[SLT]( §|, |$)/.test(source) && code.includes('.ts`') && [...proof.matchAll(PROOF)].length > 0
      return isWhole ? [] : [source]
    }),
    [],
  )
})

test('every conversation is named in the table', () => {
  const unnamed = readdirSync(new URL(TRANSCRIPTS, ROOT))
    .map(file => file.replace('.txt', ''))
    .filter(name => !README.includes(`*${name}*`))
  assert.equal(unnamed, [])
})

test('what is not there is noticed', () => {
  assert.equal(missingInCode('`nowhere.ts` `nothing`'), ['nowhere.ts', 'nothing'])
  assert.equal(missingInCode('`probe.ts` `begin` `dance`'), ['dance'])
  assert.is(missingInProof('*no-such-talk*, `unit/gossip/swim.test.ts` “no such test”').length, 2)
})

test.run()
