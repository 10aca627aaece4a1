/** Logs and events against a fake node: merged, gutters, hostile bytes, following. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FakeApi } from '../harness/fake-api.ts'
import { event, log } from '../harness/fake-cluster.ts'
import { FakeTerminal, tutti } from '../harness/fake-terminal.ts'
import { until } from '../harness/run-command.ts'

const test = suite<{ api: FakeApi }>('logs')

test.before.each(async context => {
  context.api = await FakeApi.start()
})
test.after.each(async context => {
  await context.api.stop()
})

test('each line stands behind the name of its pod and node, as wide as the longest', async ({ api }) => {
  assert.is(
    (await tutti(api.socket, ['logs', 'web'])).out,
    'web.1@ash   │ hello from one\nweb.2@birch │ hello from two\n',
  )
})

test('without colour SGR is taken out, with colour it stays; other sequences never pass', async ({ api }) => {
  api.logs = [log(1, '\u001b[31mred\u001b[0m \u001b[2J\u001b]52;c;eA==\u0007 \r back')]
  const plain = await tutti(api.socket, ['logs', 'web', '-q'])
  assert.is(plain.out, 'red \\x1b[2J\\x1b]52;c;eA==\\x07 \\x0d back\n')
  const coloured = await tutti(api.socket, ['logs', 'web', '-q'], { environment: { FORCE_COLOR: '1' } })
  assert.ok(coloured.out.startsWith('\u001b[31mred\u001b[0m \\x1b[2J'))
  const raw = await tutti(api.socket, ['logs', 'web', '-q', '--raw'])
  assert.ok(raw.out.includes('\u001b[2J'))
})

test('a gap is told as one', async ({ api }) => {
  api.logs = [log(2, 'birch unreachable', { stream: 'gap' })]
  assert.match((await tutti(api.socket, ['logs', 'web'])).out, /web\.2@birch │ — birch unreachable —/)
})

test('-o jsonl is a value a line, --tail and --container are passed on', async ({ api }) => {
  const { out } = await tutti(api.socket, ['logs', 'web', '-o', 'jsonl', '--tail', '5', '-c', 'main'])
  assert.equal(
    out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
    api.logs,
  )
  const asked = api.asked.find(each => each.path === 'logs/web')
  assert.equal(
    [asked?.query.get('tail'), asked?.query.get('container'), asked?.query.get('follow')],
    ['5', 'main', null],
  )
})

test('-f goes on until Ctrl-C', async ({ api }) => {
  const controller = new AbortController()
  const terminal = new FakeTerminal()
  const following = tutti(api.socket, ['logs', '-f', 'web'], { terminal, signal: controller.signal })
  await until('the first lines', 5000, () => (terminal.out.includes('two') ? true : null))
  api.push(log(3, 'later'))
  await until('the later line', 5000, () => (terminal.out.includes('web.3@cedar │ later') ? true : null))
  controller.abort()
  assert.is((await following).code, 130)
})

test('events are told once, or followed', async ({ api }) => {
  const { out } = await tutti(api.socket, ['events', '--from', '200'])
  assert.match(out, /240\s+node\/ash\s+✗ dead\s+no reply/)
  assert.is(api.asked[0]?.query.get('from'), '200')
  const controller = new AbortController()
  const terminal = new FakeTerminal()
  const following = tutti(api.socket, ['events', '-f', '-o', 'json'], { terminal, signal: controller.signal })
  await until('the first events', 5000, () => (terminal.out.split('\n').length === 3 ? true : null))
  api.push(event('web.2', 'healthy'))
  await until('the next one', 5000, () => (terminal.out.split('\n').length === 4 ? true : null))
  assert.is(JSON.parse(terminal.out.trimEnd().split('\n')[2] ?? '').verb, 'healthy')
  controller.abort()
  assert.is((await following).code, 130)
})

test.run()
