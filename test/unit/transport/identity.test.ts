import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../../node/errors.ts'
import { loadIdentity } from '../../../node/transport/identity.ts'

const directories: string[] = []
const fresh = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-identity-'))
  directories.push(directory)
  return directory
}
test.after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})

test('an identity is made once and stays the same', async () => {
  const directory = join(fresh(), 'data')
  const first = await loadIdentity(directory)
  const second = await loadIdentity(directory)
  assert.is(second.peerId, first.peerId)
  assert.match(first.peerId, /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/)
  assert.is.not((await loadIdentity(fresh())).peerId, first.peerId)
})

test('the key is for its owner only, and no half-written file is left', async () => {
  const directory = fresh()
  await loadIdentity(directory)
  assert.equal(readdirSync(directory), ['identity.key'])
  assert.is(statSync(join(directory, 'identity.key')).mode & 0o777, 0o600)
})

test('a damaged key stops the node instead of making it another one', async () => {
  const directory = fresh()
  writeFileSync(join(directory, 'identity.key'), 'not a key')
  try {
    await loadIdentity(directory)
    assert.unreachable()
  } catch (thrown) {
    assert.instance(thrown, Failure)
    assert.is((thrown as Failure).code, 'E_DISK_DAMAGED')
    assert.not.match((thrown as Failure).message, /not a key/)
  }
})

test('a single bit that changed is noticed or makes no difference', async () => {
  const directory = fresh()
  const { peerId } = await loadIdentity(directory)
  const path = join(directory, 'identity.key')
  const bytes = readFileSync(path)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7))
    writeFileSync(path, changed)
    const found = await loadIdentity(directory).then(
      identity => identity.peerId,
      (thrown: Failure) => thrown.code,
    )
    assert.ok(found === 'E_DISK_DAMAGED' || found === peerId, `bit ${bit}: ${found}`)
  }
})

test.run()
