import { createHash, hash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { offerSha256, ownSha256, sha256 } from '../../../../scheduler/audit/sha256.ts'

const platform = (text: string): string => createHash('sha256').update(text).digest('hex')

test('the examples of the standard', () => {
  assert.is(ownSha256(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.is(ownSha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('every length around the ends of blocks, in one, two, three and four byte characters', () => {
  for (const character of ['a', 'ä', '€', '😀'])
    for (let count = 0; count <= 130; count++) {
      const text = character.repeat(count)
      assert.is(ownSha256(text), platform(text), `${count} times ${character}`)
    }
})

test('whatever the text is, the platform’s own says the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => ownSha256(text) === platform(text)),
    { numRuns: 500 },
  )
})

test('the platform’s own is taken when it says the same, and nothing else is', () => {
  let count = 0
  offerSha256(text => {
    count += 1
    return hash('sha256', text)
  })
  const before = count
  assert.is(sha256('abc'), ownSha256('abc'))
  assert.is(count, before + 1)
  assert.throws(() => offerSha256(text => `${ownSha256(text)} `), /it is SHA-256/)
  assert.throws(() => offerSha256(text => hash('sha256', text, 'base64')), /it is SHA-256/)
  assert.is(sha256('abc'), ownSha256('abc'))
})

test('lone halves of characters are hashed alike', () => {
  for (const text of ['\ud800', 'a\udc00b', '\ud800\ud800']) assert.is(hash('sha256', text), ownSha256(text))
})

test.run()
