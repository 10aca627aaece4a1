/**
 * Scripted conversations. A transcript is a text of blocks: commands, a line of four dashes, and what they print,
 * up to an empty line. `RECORD=1` writes the present answers into the file, to be read in review. Lines that start
 * with `#` are the story.
 */
import { readFileSync, writeFileSync } from 'node:fs'

type Block = {
  readonly before: readonly string[]
  readonly commands: readonly string[]
  readonly expected: string
}

/** What differs, or null. `run` gets one command line at a time and returns what it prints. */
export const playTranscript = (path: string, run: (command: string) => string): string | null => {
  const blocks = parse(readFileSync(path, 'utf8'))
  if (blocks.length === 0) throw new Error(`${path} holds no conversation`)
  const played = blocks.map(block => ({ block, actual: block.commands.map(run).filter(Boolean).join('\n') }))
  if (process.env.RECORD === '1') {
    writeFileSync(path, played.map(({ block, actual }) => print(block, actual)).join('\n'))
    return null
  }
  const wrong = played.find(({ block, actual }) => actual !== block.expected)
  if (!wrong) return null
  return [
    `${path}: ${wrong.block.commands.join('; ')}`,
    ...differences(wrong.block.expected, wrong.actual),
  ].join('\n')
}

const parse = (text: string): Block[] => {
  const blocks: Block[] = []
  let before: string[] = []
  let commands: string[] = []
  let expected: string[] | null = null
  const finish = (): void => {
    if (expected !== null) blocks.push({ before, commands, expected: expected.join('\n') })
    if (expected === null && commands.length > 0) throw new Error(`no ---- after: ${commands.join('; ')}`)
    if (expected === null) return
    before = []
    commands = []
    expected = null
  }
  for (const line of [...text.split('\n'), '']) {
    if (line === '') finish()
    if (line === '' && commands.length === 0) before.push(line)
    else if (line === '----') expected = []
    else if (expected !== null) expected.push(line)
    else if (line.startsWith('#')) before.push(line)
    else if (line !== '') commands.push(line)
  }
  return blocks
}

const print = (block: Block, actual: string): string => {
  const before = block.before.filter(
    (line, position) => line !== '' || block.before[position - 1]?.startsWith('#'),
  )
  return [...before, ...block.commands, '----', ...(actual === '' ? [] : [actual]), ''].join('\n')
}

const differences = (expected: string, actual: string): string[] => {
  const wanted = expected.split('\n')
  const got = actual.split('\n')
  const first = wanted.findIndex((line, position) => line !== got[position])
  const from = first === -1 ? wanted.length : first
  return [
    ...got.slice(Math.max(0, from - 3), from).map(line => `      ${line}`),
    ...wanted.slice(from, from + 8).map(line => `    - ${line}`),
    ...got.slice(from, from + 8).map(line => `    + ${line}`),
  ]
}
