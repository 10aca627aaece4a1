/** What every runtime must do: the contract of node/runtime/runtime.ts, told once and run for each of them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Failure } from '../../node/errors.ts'
import type {
  ContainerKey,
  ContainerRun,
  LogLine,
  Runtime,
  RuntimeEvent,
} from '../../node/runtime/runtime.ts'
import type { ContainerSpec, PodPort } from '../../scheduler/index.ts'

/** One machine with one runtime. A door is what one life of one node program has of it. */
export type RuntimeFixture = {
  open(owner: { readonly cluster: string; readonly node: string }): Promise<Runtime>
  /** Null where commands run without an image. */
  readonly image: string | null
  close(): Promise<void>
}

const CLUSTER = 'contract'
const GRACE_MS = 5_000
const EVENT_DEADLINE_MS = 15_000

/** Commands that every implementation knows: real ones run them, the fake host plays them. */
export const COMMANDS = {
  sleep: ['sleep', '1000'],
  exitThree: ['sh', '-c', 'exit 3'],
  stubborn: ['sh', '-c', "trap '' TERM; while :; do sleep 0.1; done"],
  talk: ['sh', '-c', 'echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three; exec sleep 1000'],
  talkAndEnd: ['sh', '-c', 'echo one; sleep 1; echo two'],
  missing: ['no-such-command-anywhere', '--help'],
  echoOut: ['sh', '-c', 'echo out; exit 5'],
  flood: ['sh', '-c', 'head -c 100000 /dev/zero | tr "\\0" x'],
} as const

export type Story = ReturnType<typeof suite<StoryContext>>

export type StoryContext = {
  fixture: RuntimeFixture
  runtime: Runtime
  events: RuntimeEvent[]
  /** A run of a fresh pod. */
  make(command: readonly string[], over?: Partial<ContainerSpec>, ports?: readonly PodPort[]): ContainerRun
}

let podCount = 0

export const until = async <T>(what: string, look: () => T | undefined | null | false): Promise<T> => {
  const deadlineMs = performance.now() + EVENT_DEADLINE_MS
  for (;;) {
    const seen = look()
    if (seen) return seen
    if (performance.now() > deadlineMs) throw new Error(`waited ${EVENT_DEADLINE_MS} ms for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

export const prepared = async (runtime: Runtime, run: ContainerRun): Promise<ContainerRun> => {
  await runtime.prepare(run, { signal: new AbortController().signal, progress() {} })
  return run
}

export const failureFrom = async (work: Promise<unknown>): Promise<Failure> => {
  try {
    await work
  } catch (thrown) {
    assert.instance(thrown, Failure)
    return thrown as Failure
  }
  throw new Error('it should have failed')
}

const collect = async (lines: AsyncIterable<LogLine>): Promise<LogLine[]> => {
  const all: LogLine[] = []
  for await (const line of lines) all.push(line)
  return all
}

export const makeRun = (
  owner: { readonly cluster: string; readonly node: string },
  image: string | null,
  command: readonly string[],
  over: Partial<ContainerSpec> = {},
  ports: readonly PodPort[] = [],
): ContainerRun => {
  const pod = `pod${String(++podCount).padStart(5, '0')}${process.pid}`
  const spec: ContainerSpec = {
    name: 'main',
    image,
    command,
    env: {},
    ports: [],
    resources: { cpuMillis: 0, memoryBytes: 0 },
    health: null,
    ...over,
  }
  const key: ContainerKey = { ...owner, pod, podName: `story.${podCount}`, container: spec.name }
  return {
    key,
    spec,
    ports,
    address: '127.0.0.1',
    pod: { firstContainer: spec.name, ports },
    env: { TUTTI_NODE: owner.node },
  }
}

/** Registers the contract; the caller adds what only its runtime can do, and runs it. */
export const runtimeContract = (name: string, setUp: () => Promise<RuntimeFixture>): Story => {
  const story = suite<StoryContext>(`runtime contract: ${name}`)
  const owner = { cluster: CLUSTER, node: 'ash' }
  const own = async (runtime: Runtime, run: ContainerRun) =>
    (await runtime.list()).filter(({ key }) => key.pod === run.key.pod)

  story.before(async context => {
    context.fixture = await setUp()
    context.make = (command, over, ports) => makeRun(owner, context.fixture.image, command, over, ports)
  })

  story.before.each(async context => {
    context.runtime = await context.fixture.open(owner)
    const events: RuntimeEvent[] = []
    context.events = events
    context.runtime.subscribe(event => events.push(event))
  })

  story.after.each(async ({ runtime }) => {
    for (const { key } of await runtime.list()) await runtime.remove(key)
    await runtime.close()
  })

  story.after(async ({ fixture }) => fixture?.close())

  const exitOf = (events: readonly RuntimeEvent[], run: ContainerRun) =>
    until(`the end of ${run.key.podName}`, () =>
      events.find(event => event.type === 'exited' && event.key.pod === run.key.pod),
    ) as Promise<RuntimeEvent & { type: 'exited' }>

  story('offers cores and memory', async ({ runtime }) => {
    const { cpuMillis, memoryBytes } = await runtime.capacity()
    assert.ok(cpuMillis >= 1_000)
    assert.ok(memoryBytes > 0)
  })

  story('a started container runs and is listed with its key', async ({ runtime, make }) => {
    const run = await prepared(runtime, make(COMMANDS.sleep))
    const state = await runtime.start(run)
    assert.is(state.state, 'running')
    assert.equal(state.key, run.key)
    assert.equal(await own(runtime, run), [
      { ...state, startedAtMs: (await own(runtime, run))[0]?.startedAtMs },
    ])
  })

  story('starting what runs already returns that very run', async ({ runtime, make }) => {
    const run = await prepared(runtime, make(COMMANDS.sleep))
    const [first, second] = await Promise.all([runtime.start(run), runtime.start(run)])
    const third = await runtime.start(run)
    assert.is(second.runtimeId, first.runtimeId)
    assert.is(third.runtimeId, first.runtimeId)
    assert.is((await own(runtime, run)).length, 1)
  })

  story('an end is told once with its exit code, and stays listed', async ({ runtime, make, events }) => {
    const run = await prepared(runtime, make(COMMANDS.exitThree))
    const { runtimeId } = await runtime.start(run)
    const exit = await exitOf(events, run)
    assert.equal(exit, { type: 'exited', key: run.key, runtimeId, exitCode: 3, outOfMemory: false })
    const [listed] = await own(runtime, run)
    assert.is(listed?.state, 'exited')
    assert.is(listed?.exitCode, 3)
    assert.is(listed?.runtimeId, runtimeId)
    assert.is(events.filter(event => event.type === 'exited' && event.key.pod === run.key.pod).length, 1)
  })

  story(
    'starting after an end is a new run and forgets the former one',
    async ({ runtime, make, events }) => {
      const run = await prepared(runtime, make(COMMANDS.exitThree))
      const first = await runtime.start(run)
      await exitOf(events, run)
      const again: ContainerRun = { ...run, spec: { ...run.spec, command: COMMANDS.sleep } }
      const second = await runtime.start(again)
      assert.is.not(second.runtimeId, first.runtimeId)
      const listed = await own(runtime, run)
      assert.equal(
        listed.map(state => [state.runtimeId, state.state]),
        [[second.runtimeId, 'running']],
      )
    },
  )

  story('stopping asks first: a container that obeys ends at once', async ({ runtime, make, events }) => {
    const run = await prepared(runtime, make(COMMANDS.sleep))
    await runtime.start(run)
    const beganMs = performance.now()
    await runtime.stop(run.key, GRACE_MS)
    assert.ok(performance.now() - beganMs < GRACE_MS)
    assert.is((await own(runtime, run))[0]?.state, 'exited')
    assert.is((await exitOf(events, run)).exitCode, 143)
  })

  story('a container that does not obey is killed after the grace', async ({ runtime, make, events }) => {
    const run = await prepared(runtime, make(COMMANDS.stubborn))
    await runtime.start(run)
    await new Promise(resolve => setTimeout(resolve, 300))
    const beganMs = performance.now()
    await runtime.stop(run.key, 1_000)
    const tookMs = performance.now() - beganMs
    assert.ok(tookMs > 900 && tookMs < GRACE_MS, `it took ${tookMs} ms`)
    assert.is((await exitOf(events, run)).exitCode, 137)
  })

  story('stopping and removing what never was is fine', async ({ runtime, make }) => {
    const run = make(COMMANDS.sleep)
    await runtime.stop(run.key, 100)
    await runtime.remove(run.key)
    await runtime.remove(run.key)
  })

  story('removing ends a running container and forgets it', async ({ runtime, make, events }) => {
    const run = await prepared(runtime, make(COMMANDS.sleep))
    await runtime.start(run)
    await runtime.remove(run.key)
    assert.equal(await own(runtime, run), [])
    assert.is((await exitOf(events, run)).exitCode, 137)
  })

  story(
    'a restarted node finds what runs, and hears of its end',
    async ({ runtime, make, fixture, events }) => {
      const run = await prepared(runtime, make(COMMANDS.sleep))
      const state = await runtime.start(run)
      const heard: RuntimeEvent[] = []
      const later = await fixture.open(owner)
      try {
        later.subscribe(event => heard.push(event))
        const [found] = await own(later, run)
        assert.is(found?.runtimeId, state.runtimeId)
        assert.equal(found?.probe, state.probe)
        assert.is((await later.start(run)).runtimeId, state.runtimeId)
        // Whoever ends it: the first door here plays the crash of the container.
        await runtime.stop(run.key, GRACE_MS)
        assert.is((await exitOf(heard, run)).runtimeId, state.runtimeId)
        assert.is((await exitOf(events, run)).runtimeId, state.runtimeId)
      } finally {
        await later.close()
      }
    },
  )

  story('an end while nobody watched is found with its exit code', async ({ runtime, make, fixture }) => {
    const run = await prepared(runtime, make(['sh', '-c', 'sleep 0.5; exit 4']))
    const early = await fixture.open(owner)
    await early.start(run)
    await early.close()
    await new Promise(resolve => setTimeout(resolve, 1_200))
    const [found] = await own(runtime, run)
    assert.is(found?.state, 'exited')
    assert.is(found?.exitCode, 4)
  })

  story('containers of other nodes and clusters are not seen', async ({ runtime, make, fixture }) => {
    const run = await prepared(runtime, make(COMMANDS.sleep))
    await runtime.start(run)
    for (const other of [
      { cluster: CLUSTER, node: 'elm' },
      { cluster: 'elsewhere', node: 'ash' },
    ]) {
      const foreign = await fixture.open(other)
      assert.equal(await own(foreign, run), [])
      await foreign.close()
    }
  })

  story('a command that does not exist is a clear failure and leaves nothing', async ({ runtime, make }) => {
    const run = make(COMMANDS.missing)
    const failure = await failureFrom(prepared(runtime, run).then(() => runtime.start(run)))
    assert.is(failure.code, 'E_COMMAND_INVALID')
    assert.match(failure.message, /no-such-command-anywhere/)
    assert.equal(await own(runtime, run), [])
  })

  story('an image that is not there is a clear failure', async ({ runtime, make }) => {
    const run = make(COMMANDS.sleep, { image: 'registry.invalid/nothing:1' })
    const failure = await failureFrom(prepared(runtime, run))
    assert.is(failure.code, 'E_IMAGE_MISSING')
    assert.match(failure.message, /registry\.invalid\/nothing:1/)
  })

  story('a command inside gives its exit code and output, cut at 4 KiB', async ({ runtime, make }) => {
    const run = await prepared(runtime, make(COMMANDS.sleep))
    await runtime.start(run)
    const said = await runtime.exec(run.key, COMMANDS.echoOut, { timeoutMs: 5_000 })
    assert.is(said.exitCode, 5)
    assert.is(said.output.trim(), 'out')
    const flood = await runtime.exec(run.key, COMMANDS.flood, { timeoutMs: 5_000 })
    assert.is(flood.exitCode, 0)
    assert.is(flood.output.length, 4_096)
  })

  story('a command inside that hangs is given up at its deadline', async ({ runtime, make }) => {
    const run = await prepared(runtime, make(COMMANDS.sleep))
    await runtime.start(run)
    const beganMs = performance.now()
    const failure = await failureFrom(runtime.exec(run.key, COMMANDS.sleep, { timeoutMs: 500 }))
    assert.is(failure.code, 'E_TIMEOUT')
    assert.ok(performance.now() - beganMs < 3_000)
  })

  story('a command inside a container that does not run is refused', async ({ runtime, make }) => {
    const failure = await failureFrom(
      runtime.exec(make(COMMANDS.sleep).key, COMMANDS.echoOut, { timeoutMs: 500 }),
    )
    assert.is(failure.code, 'E_NOT_FOUND')
  })

  story('output is read from the start or from the end', async ({ runtime, make, events }) => {
    const run = await prepared(runtime, make(COMMANDS.talkAndEnd))
    const beganMs = Date.now()
    await runtime.start(run)
    await exitOf(events, run)
    const signal = new AbortController().signal
    const all = await collect(runtime.logs(run.key, { follow: false, tail: null, signal }))
    assert.equal(
      all.map(({ line }) => line),
      ['one', 'two'],
    )
    for (const { atMs } of all) assert.ok(Math.abs(atMs - beganMs) < 60_000)
    const last = await collect(runtime.logs(run.key, { follow: false, tail: 1, signal }))
    assert.equal(
      last.map(({ line }) => line),
      ['two'],
    )
  })

  story('following output ends when the container does', async ({ runtime, make }) => {
    const run = await prepared(runtime, make(COMMANDS.talkAndEnd))
    await runtime.start(run)
    const signal = new AbortController().signal
    const lines = await collect(runtime.logs(run.key, { follow: true, tail: null, signal }))
    assert.equal(
      lines.map(({ line }) => line),
      ['one', 'two'],
    )
  })

  story('following output ends when it is given up', async ({ runtime, make }) => {
    const run = await prepared(runtime, make(COMMANDS.talk))
    await runtime.start(run)
    const abort = new AbortController()
    const seen: string[] = []
    for await (const { line, stream } of runtime.logs(run.key, {
      follow: true,
      tail: null,
      signal: abort.signal,
    })) {
      seen.push(`${stream} ${line}`)
      if (seen.length === 3) abort.abort()
    }
    assert.equal(seen, ['stdout one', 'stderr two', 'stdout three'])
  })

  story('output of what never was is empty', async ({ runtime, make }) => {
    const signal = new AbortController().signal
    assert.equal(await collect(runtime.logs(make([]).key, { follow: true, tail: 5, signal })), [])
  })

  return story
}
