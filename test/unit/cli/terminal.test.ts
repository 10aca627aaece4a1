import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeTerminal } from '../../../cli/terminal.ts'

const person = () => {
  const [input, output, error] = [new PassThrough(), new PassThrough(), new PassThrough()]
  Object.assign(input, { isTTY: true })
  let shown = ''
  for (const stream of [output, error])
    stream.on('data', chunk => {
      shown += chunk
    })
  return { terminal: makeTerminal({ input, output, error }), input, shown: () => shown }
}

const never = new AbortController().signal

test('a secret that is typed does not show, and is read whole', async () => {
  const { terminal, input, shown } = person()
  const asked = terminal.ask('token (not shown): ', never, { isHidden: true })
  setImmediate(() => input.write('tutti1_secret\n'))
  assert.is(await asked, 'tutti1_secret')
  assert.match(shown(), 'token (not shown): ')
  assert.not.match(shown(), 'secret')
})

test('any other answer is asked for in the open', async () => {
  const { terminal, input, shown } = person()
  const asked = terminal.ask('type web to go on: ', never)
  setImmediate(() => input.write('web\n'))
  assert.is(await asked, 'web')
  assert.match(shown(), 'type web to go on: ')
})

test('nobody is asked where nobody sits', async () => {
  const { input, output, error } = {
    input: new PassThrough(),
    output: new PassThrough(),
    error: new PassThrough(),
  }
  assert.is(await makeTerminal({ input, output, error }).ask('token: ', never, { isHidden: true }), null)
})

test.run()
