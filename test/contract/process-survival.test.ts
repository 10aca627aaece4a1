import { type ChildProcess, spawn } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { silentLog } from '../../node/log.ts'
import { createProcessRuntime } from '../../node/runtime/process.ts'
import type { ContainerKey, Runtime, RuntimeEvent } from '../../node/runtime/runtime.ts'
import { makeProcessSandbox, type ProcessSandbox } from '../harness/process-sandbox.ts'
import { until } from './runtime-suite.ts'

const OWNER_PROGRAM = fileURLToPath(new URL('./process-owner.ts', import.meta.url))
const owner = { cluster: 'survival', node: 'ash' }

type Context = {
  sandbox: ProcessSandbox
  directory: string
  program: ChildProcess | null
  runtimes: Runtime[]
}
const story = suite<Context>('a process outlives the node program')

story.before.each(context => {
  context.sandbox = makeProcessSandbox()
  context.directory = context.sandbox.directory
  context.program = null
  context.runtimes = []
})

story.after.each(async ({ sandbox, program, runtimes }) => {
  program?.kill('SIGKILL')
  for (const runtime of runtimes) await runtime.close()
  sandbox.close()
})

const open = (directory: string): Runtime =>
  createProcessRuntime({
    owner,
    directory,
    environment: { PATH: process.env.PATH },
    clock: systemClock(),
    log: silentLog,
  })

/** A second program starts the command; both are in a process group of their own, as in a terminal. */
const startElsewhere = async (context: Context, command: readonly string[]) => {
  const program = spawn(process.execPath, [OWNER_PROGRAM, context.directory, ...command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.program = program
  let said = ''
  program.stdout.on('data', chunk => {
    said += chunk
  })
  await until('the program says what it started', () => said.endsWith('\n'))
  return { pid: program.pid as number, ...(JSON.parse(said) as { key: ContainerKey; runtimeId: string }) }
}

const ended = (program: ChildProcess | null): Promise<boolean> =>
  until(
    'the program has ended',
    () => program !== null && (program.exitCode !== null || program.signalCode !== null),
  )

const adopt = (context: Context) => {
  const runtime = open(context.directory)
  context.runtimes.push(runtime)
  const events: RuntimeEvent[] = []
  runtime.subscribe(event => events.push(event))
  return { runtime, events }
}

const COUNT = ['sh', '-c', "trap 'exit 7' USR1; n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; done"]

story(
  'kill -9 of the node leaves it running; the next node adopts it and learns its exit code',
  async context => {
    const { runtimeId } = await startElsewhere(context, COUNT)
    context.program?.kill('SIGKILL')
    await ended(context.program)
    const { runtime, events } = adopt(context)
    const [found] = await runtime.list()
    assert.is(found?.state, 'running')
    assert.is(found?.runtimeId, runtimeId)
    const said = await runtime.exec(found!.key, ['sh', '-c', 'echo $TUTTI_NODE'], { timeoutMs: 5_000 })
    assert.is(said.output.trim(), 'ash')
    process.kill(oldest(commandsOf(runtimeId)), 'SIGUSR1')
    const exit = await until('its end', () => events.find(event => event.type === 'exited'))
    assert.is(exit.type === 'exited' ? exit.exitCode : null, 7)
  },
)

story('its exit code is known though it ended while no node was there', async context => {
  await startElsewhere(context, ['sh', '-c', 'sleep 0.7; exit 6'])
  context.program?.kill('SIGKILL')
  await ended(context.program)
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const { runtime } = adopt(context)
  const [found] = await runtime.list()
  assert.is(found?.state, 'exited')
  assert.is(found?.exitCode, 6)
})

story('Ctrl-C in the terminal does not reach it', async context => {
  const { pid, runtimeId } = await startElsewhere(context, COUNT)
  process.kill(-pid, 'SIGINT')
  await ended(context.program)
  const { runtime } = adopt(context)
  const [found] = await runtime.list()
  assert.is(found?.state, 'running')
  assert.is(found?.runtimeId, runtimeId)
})

story(
  'a supervisor that is killed takes nothing with it unseen: its command is ended and told',
  async context => {
    const { runtimeId } = await startElsewhere(context, COUNT)
    context.program?.kill('SIGKILL')
    await ended(context.program)
    const { runtime, events } = adopt(context)
    await runtime.list()
    const commands = commandsOf(runtimeId)
    assert.ok(commands.length > 0)
    process.kill(Number(runtimeId.split('-')[0]), 'SIGKILL')
    const exit = await until('its end', () => events.find(event => event.type === 'exited'))
    assert.is(exit.type === 'exited' ? exit.exitCode : 0, null)
    await until('its commands are gone', () => commandsOf(runtimeId).length === 0)
  },
)

story('a damaged or foreign record is no container and harms nobody', async context => {
  const { key, runtimeId } = await startElsewhere(context, COUNT)
  const folder = join(context.directory, 'pods', key.pod, key.container)
  const { runtime } = adopt(context)
  assert.is((await runtime.list()).length, 1)
  truncateSync(join(folder, 'run.json'), 10)
  assert.is((await runtime.list()).length, 0)
  writeFileSync(join(context.directory, 'pods', 'stray'), '')
  assert.is((await runtime.list()).length, 0)
  process.kill(-Number(runtimeId.split('-')[0]), 'SIGKILL')
})

/** The pids of a group other than its leader. */
const commandsOf = (runtimeId: string): number[] => {
  const leader = Number(runtimeId.split('-')[0])
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => pid !== leader && groupIn(pid) === leader)
}

/** The command itself; what it starts in turn comes later, and may be gone before a signal reaches it. */
const oldest = (pids: readonly number[]): number => Math.min(...pids)

const groupIn = (pid: number): number | null => {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = line
      .slice(line.lastIndexOf(')') + 1)
      .trim()
      .split(' ')
    return fields[0] === 'Z' ? null : Number(fields[2])
  } catch {
    return null
  }
}

story('a process is killed even where its exit code cannot be written down', async context => {
  const { key, pid } = await startElsewhere(context, ['sleep', '60'])
  process.kill(pid, 'SIGKILL')
  await ended(context.program)
  const { runtime } = adopt(context)
  const [found] = await runtime.list()
  assert.is(found?.state, 'running')
  // As on a full disk: nothing new can be made there.
  mkdirSync(join(context.directory, 'pods', key.pod, key.container, 'exit'))
  await runtime.stop(key, 0)
  assert.is((await runtime.list())[0]?.state, 'exited')
})

story('a record that cannot be read for the moment is not taken for none', async context => {
  const { key, pid } = await startElsewhere(context, ['sleep', '60'])
  process.kill(pid, 'SIGKILL')
  await ended(context.program)
  const { runtime } = adopt(context)
  const record = join(context.directory, 'pods', key.pod, key.container, 'run.json')
  renameSync(record, `${record}.away`)
  mkdirSync(record)
  const failure = await runtime.list().then(
    () => null,
    thrown => thrown,
  )
  assert.is(failure?.code, 'E_RUNTIME_UNAVAILABLE')
  rmdirSync(record)
  renameSync(`${record}.away`, record)
  assert.is((await runtime.list())[0]?.state, 'running')
  await runtime.stop(key, 0)
})

story.run()
