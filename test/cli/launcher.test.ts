/** The launcher under an old Node and a new one: arguments, exit codes, signals, kind words, and the time it takes. */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FakeApi } from '../harness/fake-api.ts'
import { type Finished, run, until } from '../harness/run-command.ts'

const LAUNCHER = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url))
/** Debian's Node when there is one, which is older than Tutti needs; the launcher must also work on the right one. */
const NODES = [process.execPath, ...['/usr/bin/node', '/usr/local/bin/node'].filter(path => existsSync(path))]
const COLD_START_MS_MAX = 300

const test = suite<{ api: FakeApi }>('launcher')

test.before(async context => {
  context.api = await FakeApi.start()
})
test.after(async context => {
  await context.api.stop()
})

const launch = (node: string, api: FakeApi, argv: readonly string[]): Promise<Finished> =>
  run(node, [LAUNCHER, ...argv], {
    timeoutMs: 20_000,
    env: {
      PATH: process.env.PATH,
      HOME: api.directory,
      TUTTI_CONNECT: `unix:${api.socket}`,
      TUTTI_COMPLETION_MS: '5000',
    },
  })

test('the output and the exit code are those of the program, under any Node', async ({ api }) => {
  for (const node of NODES) {
    const listed = await launch(node, api, ['ps', '-q'])
    assert.equal(listed, { code: 0, stdout: 'web.1\nweb.2\nweb.3\n', stderr: '' }, node)
    const refused = await launch(node, api, ['psx'])
    assert.is(refused.code, 2, node)
    assert.match(refused.stderr, /did you mean "ps"/)
  }
})

test('it can be run by its own path', async ({ api }) => {
  const done = await run(LAUNCHER, ['nodes', '-q'], {
    timeoutMs: 20_000,
    env: { PATH: process.env.PATH, TUTTI_CONNECT: `unix:${api.socket}` },
  })
  assert.is(done.stdout, 'ash\nbirch\ncedar\n')
})

test('SIGINT and SIGTERM reach the program, and its exit code comes back', async ({ api }) => {
  for (const node of NODES) {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const before = api.asked.length
      const child = spawn(node, [LAUNCHER, 'events', '-f'], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { PATH: process.env.PATH, TUTTI_CONNECT: `unix:${api.socket}` },
      })
      const ended = new Promise(resolve => child.once('exit', resolve))
      await until('following', 10_000, () => (api.asked.length > before ? true : null))
      child.kill(signal)
      assert.is(await ended, code, `${node} ${signal}`)
    }
  }
})

test('killing the launcher ends the program behind it', async ({ api }) => {
  for (const node of NODES) {
    const child = spawn(node, [LAUNCHER, 'events', '-f'], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, TUTTI_CONNECT: `unix:${api.socket}` },
    })
    await until('following', 10_000, () => (api.followers === 1 ? true : null))
    child.kill('SIGKILL')
    await until('the end of the program', 10_000, () => (api.followers === 0 ? true : null))
  }
})

test('a node gets flags of its own, and its words and its exit code are not lost with them', async ({
  api,
}) => {
  for (const node of NODES) {
    const refused = await launch(node, api, ['start', '--listen', 'no where'])
    assert.is(refused.code, 2, refused.stderr)
    assert.match(refused.stderr, /^error: --listen no where is not an address\n/, node)
  }
})

test('what is missing is said kindly', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-launcher-'))
  try {
    mkdirSync(join(directory, 'cli'))
    cpSync(LAUNCHER, join(directory, 'cli', 'bin.mjs'))
    for (const node of NODES) {
      const done = await run(node, [join(directory, 'cli', 'bin.mjs'), 'ps'], { timeoutMs: 10_000 })
      assert.is(done.code, 1)
      assert.match(
        done.stderr,
        /^error: the packages of Tutti are not installed\n {3}why: .*node_modules.*\n {3}try: cd .* && npm install\n$/,
      )
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a closed pipe ends the program quietly', async ({ api }) => {
  const done = await run('/bin/sh', ['-c', `"${process.execPath}" "${LAUNCHER}" ps -o json | head -c 1`], {
    timeoutMs: 10_000,
    env: { PATH: process.env.PATH, TUTTI_CONNECT: `unix:${api.socket}` },
  })
  assert.equal(done, { code: 0, stdout: '{', stderr: '' })
})

test(`tutti ps answers within ${COLD_START_MS_MAX} ms`, async ({ api }) => {
  await launch(process.execPath, api, ['ps'])
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const startedMs = performance.now()
    await launch(process.execPath, api, ['ps'])
    times.push(performance.now() - startedMs)
  }
  assert.ok(Math.min(...times) < COLD_START_MS_MAX, `best of five: ${Math.min(...times)} ms`)
})

test('completion is answered with live names, and silently when nobody answers', async ({ api }) => {
  const done = await launch(process.execPath, api, ['complete', '--', 'scale', 'w'])
  assert.is(done.stdout, 'web=\t3/3 healthy\n:6\n')
  const dead = await run(process.execPath, [LAUNCHER, 'complete', '--', 'scale', ''], {
    timeoutMs: 10_000,
    env: { PATH: process.env.PATH, TUTTI_CONNECT: 'unix:/no/such.sock' },
  })
  assert.equal(dead, { code: 0, stdout: ':4\n', stderr: '' })
})

test('the bash script completes verbs, live names and words with = in a real bash', async ({ api }) => {
  const ask = async (line: string, words: string): Promise<string> => {
    const script = `
      tutti() { "${process.execPath}" "${LAUNCHER}" "$@"; }
      command() { shift 0; "$@"; }
      source <(tutti completion bash)
      COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${words}) COMP_CWORD=$((\${#COMP_WORDS[@]}-1))
      compopt() { :; }
      _tutti
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const done = await run('/bin/bash', ['--norc', '-c', script], {
      timeoutMs: 10_000,
      env: { PATH: process.env.PATH, TUTTI_CONNECT: `unix:${api.socket}`, TUTTI_COMPLETION_MS: '5000' },
    })
    return done.stdout.trim() + done.stderr
  }
  assert.is(await ask('tutti sca', 'tutti sca'), 'scale')
  assert.is(await ask('tutti logs we', 'tutti logs we'), 'web\nweb.1\nweb.2\nweb.3')
  assert.is(await ask('tutti ps --output=y', 'tutti ps --output = y'), 'yaml')
  assert.is(await ask('tutti drain $(touch x)', `tutti drain '$(touch x)'`), '')
})

test('every shell has a script', async ({ api }) => {
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const done = await launch(process.execPath, api, ['completion', shell])
    assert.is(done.code, 0)
    assert.match(done.stdout, /tutti complete|complete --/, shell)
  }
  assert.is((await launch(process.execPath, api, ['completion', 'tcsh'])).code, 2)
})

test.run()
