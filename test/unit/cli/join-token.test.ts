import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { foundCluster } from '../../../node/founding.ts'
import { createToken } from '../../../node/membership/token.ts'
import { tutti } from '../../harness/fake-terminal.ts'

const directory = mkdtempSync(join(tmpdir(), 'tutti-test-'))
test.after(() => rmSync(directory, { recursive: true, force: true }))

const { text } = createToken(foundCluster(0).publicKey)
const file = join(directory, 'token')
writeFileSync(file, `${text}\n`)

/** A command that takes the token and then finds no node in the directory. */
const repair = async (token: readonly string[], options: Parameters<typeof tutti>[2] = {}) => {
  const told = await tutti(
    join(directory, 'no.sock'),
    ['repair', '--data', directory, '--join', '127.0.0.1:1', ...token],
    options,
  )
  assert.is(told.code, 3, told.err)
  assert.not(`${told.out}${told.err}`.includes(text), 'it is not repeated')
  return told.err
}

test('a token on the command line is taken, with a warning that names the better ways', async () => {
  const told = await repair(['--token', text])
  assert.match(told, 'careful: a token on the command line')
  for (const better of ['TUTTI_TOKEN=', 'file:PATH', '--token -']) assert.match(told, better)
})

test('from a file, standard input or the environment it is taken without a word', async () => {
  for (const told of [
    await repair(['--token', `file:${file}`]),
    await repair(['--token', '-'], { input: `${text}\n` }),
    await repair([], { environment: { TUTTI_TOKEN: text } }),
    await repair([], { environment: { TUTTI_TOKEN: `file:${file}` } }),
  ])
    assert.not(told.includes('careful'))
})

test.run()
