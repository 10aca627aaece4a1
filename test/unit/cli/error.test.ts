import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { errorCodes, meaningOf } from '../../../cli/output/codes.ts'
import { errorText, exitCodeOf } from '../../../cli/output/error.ts'
import { makeStyle } from '../../../cli/output/style.ts'
import { Failure } from '../../../node/errors.ts'

const style = makeStyle({ hasColour: false, isAscii: false })

test('an error has four parts', () => {
  const failure = new Failure('E_JOIN_TOKEN_EXPIRED', {
    message: 'ash refused the join: token expired 14 min ago',
    why: 'token id b7k was created with a ttl of 1h',
    try: 'tutti token create',
  })
  assert.is(
    errorText(failure, style),
    `error: ash refused the join: token expired 14 min ago
   why: token id b7k was created with a ttl of 1h
   try: tutti token create
  code: E_JOIN_TOKEN_EXPIRED   (tutti explain E_JOIN_TOKEN_EXPIRED)
`,
  )
})

test('advice comes from the code when the error brings none', () => {
  assert.match(errorText(new Failure('E_NO_QUORUM', 'no quorum'), style), /try: start the missing nodes/)
})

test('hostile text cannot leave its line', () => {
  const text = errorText(new Failure('E_INTERNAL', 'a\u001b[2J\nb'), style)
  assert.match(text, /^error: a\\x1b\[2J\n {8}b\n/)
})

test('every code has a meaning that is a sentence', () => {
  for (const code of errorCodes()) assert.match(meaningOf(code).means, /^[A-Z].*\.$/, code)
})

test('exit codes are those of the contract', () => {
  const exits = {
    E_USAGE: 2,
    E_NOT_FOUND: 3,
    E_CONFLICT: 4,
    E_AUTH: 5,
    E_NO_QUORUM: 6,
    E_PLACEMENT: 7,
    E_DEPLOY_FAILED: 8,
    E_TIMEOUT: 124,
    E_INTERNAL: 1,
  } as const
  for (const [code, exit] of Object.entries(exits))
    assert.is(exitCodeOf(new Failure(code as keyof typeof exits, '')), exit)
})

test.run()
