/** The shell in a real terminal: prompt, completion, history, following and coming back. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FakeApi } from '../harness/fake-api.ts'
import { log } from '../harness/fake-cluster.ts'
import { run, until } from '../harness/run-command.ts'
import { Tmux } from '../harness/tmux.ts'

const LAUNCHER = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url))

const test = suite<{ api: FakeApi; terminal: Tmux }>('shell')

const environment = (api: FakeApi): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: api.directory,
  TERM: 'xterm',
  LANG: 'C.UTF-8',
  TUTTI_CONNECT: `unix:${api.socket}`,
  XDG_STATE_HOME: join(api.directory, 'state'),
})

const open = (api: FakeApi): Tmux => Tmux.start([process.execPath, LAUNCHER, 'shell'], environment(api))

test.before.each(async context => {
  context.api = await FakeApi.start()
  context.terminal = open(context.api)
  await context.terminal.see(/birch\*> $|birch\*>$/)
})
test.after.each(async context => {
  context.terminal.stop()
  await context.api.stop()
})

test('it greets with the cluster and the node, with a star on the leader', async ({ terminal }) => {
  assert.match(
    terminal.screen(),
    /tutti shell · cluster ash-quartet · you are viewing through birch\* \(leader\)/,
  )
})

test('Tab completes verbs, flags and live names', async ({ api, terminal }) => {
  terminal.type('sca')
  terminal.press('Tab')
  await terminal.see(/birch\*> scale$/)
  terminal.type('w')
  terminal.press('Tab')
  await terminal.see(/birch\*> scale web=$/)
  terminal.type('5')
  terminal.press('Enter')
  await terminal.see(/web 3\/3 healthy/)
  assert.equal(api.writes[0]?.body, { count: 5 })
  terminal.type('drain ce')
  terminal.press('Tab')
  await terminal.see(/birch\*> drain cedar$/)
})

test('verbs run here, one after the other, and Up brings the last one back', async ({ terminal }) => {
  terminal.enter('nodes -q')
  await terminal.see(/^ash\nbirch\ncedar\nbirch\*>$/m)
  terminal.press('Up')
  await terminal.see(/birch\*> nodes -q$/)
})

test('a line typed before the prompt is there runs, and is remembered', async ({ api }) => {
  const early = open(api)
  try {
    early.enter('nodes -q')
    await early.see(/cedar\nbirch\*>$/)
    early.press('Up')
    await early.see(/birch\*> nodes -q$/)
  } finally {
    early.stop()
  }
})

test('logs -f ends with Ctrl-C and the shell lives on', async ({ api, terminal }) => {
  terminal.enter('logs -f web')
  await terminal.see(/web\.2@birch │ hello from two/)
  api.push(log(3, 'and \u001b]0;owned\u0007 later'))
  await terminal.see(/web\.3@cedar │ and \\x1b\]0;owned\\x07 later/)
  assert.is.not(terminal.title, 'owned')
  terminal.press('C-c')
  await terminal.see(/\^C\nbirch\*>$/)
  await until('the stream to be closed', 5000, () => (api.followers === 0 ? true : null))
  terminal.enter('status')
  await terminal.see(/quorum.*tolerates 1 failure/)
  assert.not.ok(terminal.hasEnded())
})

test('Ctrl-C on a line clears it, as often as one likes', async ({ terminal }) => {
  terminal.type('rm web')
  terminal.press('C-c', 'C-c', 'C-c')
  await terminal.see(/\^C\nbirch\*>$/)
  assert.not.ok(terminal.hasEnded())
  terminal.enter('nodes -q')
  await terminal.see(/cedar/)
})

test('.actors draws the tree, .help tells what there is', async ({ terminal }) => {
  terminal.enter('.actors')
  await terminal.see(/agent\s+0\/1024\s+12[\s\S]*└─ web\.2/)
  terminal.enter('.help')
  await terminal.see(/\.watch SECONDS COMMAND/)
})

test('.on looks through another node, and guesses a mistyped one', async ({ api, terminal }) => {
  terminal.enter('.on ceder')
  await terminal.see(/why: did you mean cedar\?/)
  terminal.enter('.on cedar')
  await terminal.see(/^cedar>$/m)
  terminal.enter('ps')
  await terminal.see(/web\.3[\s\S]*cedar>$/)
  assert.is(
    api.asked
      .filter(each => each.path === 'pods')
      .at(-1)
      ?.query.get('node'),
    'cedar',
  )
  terminal.enter('.on')
  await terminal.see(/birch\*>$/)
})

test('.watch repeats until Ctrl-C, .timing tells how long', async ({ terminal }) => {
  terminal.enter('.timing')
  await terminal.see(/timing is on/)
  terminal.enter('.watch 0.1 nodes -q')
  await terminal.see(/cedar\n[\s\S]*cedar\n[\s\S]*cedar\n/)
  terminal.press('C-c')
  await terminal.see(/birch\*>$/)
  assert.match(terminal.screen(), /exit 0/)
})

test('mistakes are told and cost nothing', async ({ terminal }) => {
  terminal.enter('scael web=3')
  await terminal.see(/did you mean "scale"/)
  terminal.enter(`run 'open`)
  await terminal.see(/unclosed '/)
  terminal.enter('.nonsense')
  await terminal.see(/birch\*>$/)
  assert.not.ok(terminal.hasEnded())
})

test('Ctrl-D leaves; history is kept without secrets, for the owner alone', async ({ api, terminal }) => {
  terminal.enter('nodes -q')
  await terminal.see(/cedar\nbirch\*>$/)
  terminal.enter(' jobs')
  await terminal.see(/web\s+service/)
  terminal.enter('token revoke tutti1_b7k_x')
  await terminal.see(/done · index 241/)
  terminal.press('C-d')
  await terminal.end()
  const file = join(api.directory, 'state', 'tutti', 'history')
  assert.is(readFileSync(file, 'utf8').trim(), 'nodes -q')
  assert.is(statSync(file).mode & 0o777, 0o600)
  const again = open(api)
  try {
    await again.see(/birch\*>$/)
    again.press('Up')
    await again.see(/birch\*> nodes -q$/)
  } finally {
    again.stop()
  }
})

test('lines can be piped in: they run in order, without prompts', async ({ api }) => {
  const done = await run(process.execPath, [LAUNCHER, 'shell'], {
    timeoutMs: 20_000,
    env: environment(api),
    input: 'ps -q\nnodes -q\n',
  })
  assert.is(done.stdout.replace(/\n+$/, '\n'), 'web.1\nweb.2\nweb.3\nash\nbirch\ncedar\n')
  assert.is(done.code, 0)
})

test.run()
