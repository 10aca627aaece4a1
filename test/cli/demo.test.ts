/** `npm start` as a new user runs it: three nodes, a healthy sample, an address that answers, and nothing left after Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../harness/run-command.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HEALTHY_WITHIN_MS = 60_000
const GONE_WITHIN_MS = 30_000

const startDemo = (): { readonly child: ChildProcess; readonly said: () => string } => {
  const child = spawn(process.execPath, ['cli/bin.mjs', 'demo', '--runtime', 'process'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  return { child, said: () => output }
}

/** Processes that work below the folder or name it on their command line. */
const processesOf = (directory: string): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => pid !== process.pid && touches(pid, directory))

const touches = (pid: number, directory: string): boolean => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(directory) || commandOf(pid).includes(directory)
  } catch {
    return false
  }
}

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')

const isListening = (address: string): Promise<boolean> =>
  new Promise(resolve => {
    const [host, port] = address.split(':') as [string, string]
    const socket = connect(Number(port), host)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

const runAndInterrupt = async (
  meanwhile: (directory: string, urls: readonly string[]) => Promise<void>,
): Promise<void> => {
  const { child, said } = startDemo()
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
  try {
    await until(
      'the sample to be healthy',
      HEALTHY_WITHIN_MS,
      () => {
        if (child.exitCode !== null) throw new Error(`the demo ended: ${said()}`)
        return /Ctrl-C stops everything/.test(said()) ? true : null
      },
      said,
    )
    const directory = /unix:(\S+)\/ash\/tutti\.sock/.exec(said())?.[1] as string
    const urls = [...new Set(said().match(/http:\/\/127\.0\.0\.\d:\d+/g))]
    assert.match(said(), /web {4}3\/3 healthy/)
    assert.is(urls.length, 3, said())
    await meanwhile(directory, urls)
    child.kill('SIGINT')
    await until('the demo to end', GONE_WITHIN_MS, () => (child.exitCode === null ? null : true), said)
    assert.is(await ended, 0, said())
    assert.is(existsSync(directory), false, 'its files are gone')
    assert.equal(processesOf(directory), [], 'its processes are gone')
    for (const address of ['127.0.0.1:7700', '127.0.0.1:7701', '127.0.0.2:7701', '127.0.0.3:7701'])
      assert.is(await isListening(address), false, address)
  } finally {
    child.kill('SIGINT')
    await ended
  }
}

test('the sample answers on every printed address, and Ctrl-C leaves nothing behind', () =>
  runAndInterrupt(async (_directory, urls) => {
    for (const url of urls) {
      const response = await fetch(url)
      assert.is(response.status, 200)
      assert.match(await response.text(), /hello from web\.\d on (ash|birch|cedar)/)
    }
  }))

test('Ctrl-C leaves nothing behind even when a node was killed', () =>
  runAndInterrupt(async directory => {
    const [pid] = processesOf(directory).filter(one => commandOf(one).includes('start --name birch'))
    assert.ok(pid !== undefined, 'birch runs')
    process.kill(pid, 'SIGKILL')
  }))

test.run()
