import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isKept } from '../../../cli/shell/history.ts'

test('lines are kept, unless they begin with a space or hold a secret', () => {
  for (const line of ['ps', 'logs -f web', 'token ls', 'scale web=5', '.on cedar'])
    assert.ok(isKept(line), line)
  for (const line of [
    ' ps',
    'start --join a:1 --token x',
    'run -e DB_PASSWORD=x postgres',
    'run -e SECRET_KEY=x img',
    'run -e API_KEY=x img',
    'x tutti1_b7k_abc_def',
  ]) {
    assert.not.ok(isKept(line), line)
  }
})

test.run()
