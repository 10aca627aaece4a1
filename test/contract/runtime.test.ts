import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import * as assert from 'uvu/assert'
import { systemClock } from '../../node/clock.ts'
import { silentLog } from '../../node/log.ts'
import { createDockerRuntime } from '../../node/runtime/docker.ts'
import { createFakeRuntime } from '../../node/runtime/fake.ts'
import { type BehaviorOf, FakeHost, steadyBehavior } from '../../node/runtime/fake-host.ts'
import { createProcessRuntime } from '../../node/runtime/process.ts'
import type { PodPort } from '../../scheduler/index.ts'
import { type DockerEngine, startDockerEngine, TEST_IMAGE } from '../harness/docker-engine.ts'
import { makeProcessSandbox } from '../harness/process-sandbox.ts'
import {
  COMMANDS,
  failureFrom,
  makeRun,
  prepared,
  runtimeContract,
  type Story,
  until,
} from './runtime-suite.ts'

const isCommand = (command: readonly string[], other: readonly string[]): boolean =>
  JSON.stringify(command) === JSON.stringify(other)

/** Plays the contract's commands. */
const playCommands: BehaviorOf = ({ spec: { command, image } }) => {
  const is = (other: readonly string[]) => isCommand(command, other)
  const ends = (afterMs: number, code: number) => ({ afterMs, code, outOfMemory: false })
  const exit = is(COMMANDS.exitThree) ? ends(100, 3) : is(COMMANDS.talkAndEnd) ? ends(300, 0) : null
  const missingCommand = {
    at: 'start',
    code: 'E_COMMAND_INVALID',
    message: `The command ${command[0]} is not found.`,
  } as const
  const missingImage = {
    at: 'prepare',
    code: 'E_IMAGE_MISSING',
    message: `The image ${image} is not there.`,
  } as const
  return {
    ...steadyBehavior,
    exit: command[2] === 'sleep 0.5; exit 4' ? ends(500, 4) : exit,
    stopMs: is(COMMANDS.stubborn) ? 60_000 : 20,
    failure: is(COMMANDS.missing) ? missingCommand : image !== null ? missingImage : null,
    lines: is(COMMANDS.talkAndEnd)
      ? [
          { stream: 'stdout', line: 'one' },
          { stream: 'stdout', line: 'two' },
        ]
      : [
          { stream: 'stdout', line: 'one' },
          { stream: 'stderr', line: 'two' },
          { stream: 'stdout', line: 'three' },
        ],
    exec: asked => {
      if (isCommand(asked, COMMANDS.echoOut)) return { exitCode: 5, output: 'out\n', tookMs: 1 }
      if (isCommand(asked, COMMANDS.flood)) return { exitCode: 0, output: 'x'.repeat(100_000), tookMs: 1 }
      return { exitCode: 0, output: '', tookMs: 1_000_000 }
    },
  }
}

const fake = runtimeContract('fake', async () => {
  const capacity = { cpuMillis: 2_000, memoryBytes: 1_000_000 }
  const host = new FakeHost({ clock: systemClock(), behaviorOf: playCommands, capacity })
  return { open: async owner => createFakeRuntime(host, owner), image: null, close: async () => {} }
})

const childEnvironment = { PATH: process.env.PATH, HOME: '/tmp' }

const processes = runtimeContract('process', async () => {
  const { directory, close } = makeProcessSandbox()
  const options = { directory, environment: childEnvironment, clock: systemClock(), log: silentLog }
  return {
    open: async owner => createProcessRuntime({ owner, ...options }),
    image: null,
    close: async () => close(),
  }
})

let engine: DockerEngine | null = null

const theEngine = (): DockerEngine => {
  assert.ok(engine !== null, 'the engine is up')
  return engine as DockerEngine
}

const docker = runtimeContract('docker', async () => {
  engine = await startDockerEngine()
  const { socket } = engine
  return {
    open: owner => createDockerRuntime({ owner, socket, clock: systemClock() }),
    image: TEST_IMAGE,
    close: async () => theEngine().close(),
  }
})

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ host, port })
    socket.once('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
    let isAnswered = false
    socket.once('data', () => {
      isAnswered = true
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(isAnswered))
  })

const eventually = async (what: string, look: () => Promise<boolean>): Promise<void> => {
  const deadlineMs = performance.now() + 10_000
  while (!(await look())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

const portNamed = (host: number, container: number): PodPort => ({
  name: 'http',
  owner: 'main',
  container,
  host,
  protocol: 'tcp',
})

/** What only a runtime with real sockets can show. */
const publishing = (story: Story): void => {
  story('a port is published on the node’s address, and told by PORT', async ({ runtime, make }) => {
    const host = await freePort()
    const run = make(['sh', '-c', 'exec busybox httpd -f -p $PORT -h /'], {}, [portNamed(host, 0)])
    const state = await runtime.start(await prepared(runtime, run))
    await eventually('the published port answers', () => answers('127.0.0.1', host))
    const { address, ports } = state.probe
    await eventually('the probe’s address answers', () => answers(address, ports.http ?? 0))
  })

  story('a port that is taken is a clear failure and leaves nothing', async ({ runtime, make }) => {
    const server = createServer()
    const host = await freePort()
    await new Promise<void>(resolve => server.listen(host, '127.0.0.1', resolve))
    try {
      const run = make(COMMANDS.sleep, {}, [portNamed(host, 8080)])
      const failure = await failureFrom(prepared(runtime, run).then(() => runtime.start(run)))
      assert.is(failure.code, 'E_PORT_IN_USE')
      assert.equal(
        (await runtime.list()).filter(({ key }) => key.pod === run.key.pod),
        [],
      )
    } finally {
      await new Promise(resolve => server.close(resolve))
    }
  })

  story(
    'the workload’s variables win over the node’s, and those over the port’s',
    async ({ runtime, make }) => {
      const host = await freePort()
      const run = make(COMMANDS.sleep, { env: { TUTTI_NODE: 'mine', GREETING: 'a "b" $c' } }, [
        portNamed(host, 0),
      ])
      await runtime.start(await prepared(runtime, run))
      const said = await runtime.exec(
        run.key,
        ['sh', '-c', 'echo "$TUTTI_NODE|$GREETING|$PORT|$PORT_HTTP"'],
        {
          timeoutMs: 5_000,
        },
      )
      assert.is(said.output.trim(), `mine|a "b" $c|${host}|${host}`)
    },
  )
}

publishing(processes)
publishing(docker)

processes('the node’s own environment does not leak into a process', async ({ runtime, make }) => {
  process.env.TUTTI_CONTRACT_SECRET = 'secret'
  try {
    const run = make(COMMANDS.sleep)
    await runtime.start(await prepared(runtime, run))
    const { output } = await runtime.exec(run.key, ['env'], { timeoutMs: 5_000 })
    assert.not.match(output, /TUTTI_CONTRACT_SECRET/)
    assert.match(output, /^HOME=\/tmp$/m)
  } finally {
    delete process.env.TUTTI_CONTRACT_SECRET
  }
})

processes('what a command leaves behind in its group ends with it', async ({ runtime, make, events }) => {
  const run = make(['sh', '-c', 'sleep 1000 & echo $!; exit 0'])
  await runtime.start(await prepared(runtime, run))
  await until('the end', () => events.find(event => event.type === 'exited' && event.key.pod === run.key.pod))
  const lines: string[] = []
  const signal = new AbortController().signal
  for await (const { line } of runtime.logs(run.key, { follow: false, tail: null, signal })) lines.push(line)
  await eventually('the child is gone', async () => {
    try {
      return / Z /.test(readFileSync(`/proc/${lines[0]}/stat`, 'utf8'))
    } catch {
      return true
    }
  })
})

processes(
  'a command that is the name of a shell builtin is still a program',
  async ({ runtime, make, events }) => {
    const run = make(['false'])
    await runtime.start(await prepared(runtime, run))
    const exit = await until('the end', () =>
      events.find(event => event.type === 'exited' && event.key.pod === run.key.pod),
    )
    assert.is(exit.type === 'exited' ? exit.exitCode : null, 1)
  },
)

docker('containers carry labels, limits and no privileges to gain', async ({ runtime, make }) => {
  const run = make(COMMANDS.sleep, { resources: { cpuMillis: 500, memoryBytes: 64 * 1_024 * 1_024 } })
  const { runtimeId } = await runtime.start(await prepared(runtime, run))
  const [seen] = JSON.parse(theEngine().docker('inspect', runtimeId))
  assert.equal(seen.Config.Labels['tutti.pod'], run.key.pod)
  assert.equal(seen.Config.Labels['tutti.pod-name'], run.key.podName)
  assert.match(seen.Name, /^\/tutti-story\.\d+-pod\d+$/)
  assert.is(seen.HostConfig.Memory, 64 * 1_024 * 1_024)
  assert.is(seen.HostConfig.NanoCpus, 500_000_000)
  assert.equal(seen.HostConfig.SecurityOpt, ['no-new-privileges'])
  assert.is(seen.HostConfig.RestartPolicy.Name, 'no')
  assert.is(seen.HostConfig.LogConfig.Config['max-size'], '10m')
  assert.is(seen.HostConfig.Init, true)
})

docker('an end for want of memory says so', async ({ runtime, make, events }) => {
  const greedy = ['sh', '-c', 'sleep 0.5; exec tail /dev/zero']
  const run = make(greedy, { resources: { cpuMillis: 0, memoryBytes: 8 * 1_024 * 1_024 } })
  await runtime.start(await prepared(runtime, run))
  const exit = await until('the end', () =>
    events.find(event => event.type === 'exited' && event.key.pod === run.key.pod),
  )
  assert.is(exit.type === 'exited' && exit.outOfMemory, true)
})

docker('the containers of a pod share the first one’s network', async ({ runtime, fixture }) => {
  const owner = { cluster: 'contract', node: 'ash' }
  const host = await freePort()
  const first = makeRun(owner, fixture.image, COMMANDS.sleep)
  const port = { ...portNamed(host, 9090), owner: 'side' }
  const pod = { firstContainer: 'main', ports: [port] }
  await runtime.start(await prepared(runtime, { ...first, pod }))
  const side = {
    ...first,
    key: { ...first.key, container: 'side' },
    spec: { ...first.spec, name: 'side', command: ['httpd', '-f', '-p', '9090', '-h', '/'] },
    ports: [port],
    pod,
  }
  const state = await runtime.start(await prepared(runtime, side))
  assert.equal(state.probe.ports, { http: 9090 })
  await eventually('the probe’s address answers', () => answers(state.probe.address, 9090))
  await eventually('the port published by the first answers', () => answers('127.0.0.1', host))
})

docker('nothing is pulled when the image is there', async ({ runtime, make }) => {
  const told: string[] = []
  const run = make(COMMANDS.sleep)
  await runtime.prepare(run, { signal: new AbortController().signal, progress: text => told.push(text) })
  assert.equal(told, [])
})

docker(
  'an engine that dies is told once, and once again when it is back',
  async ({ runtime, make, events }) => {
    const run = make(COMMANDS.sleep)
    const { runtimeId } = await runtime.start(await prepared(runtime, run))
    await until('the first connection', () => events.find(event => event.type === 'available'))
    theEngine().kill()
    const down = await until('unavailable', () => events.find(event => event.type === 'unavailable'))
    assert.ok(down.type === 'unavailable' && down.reason.length > 0)
    const failure = await failureFrom(runtime.list())
    assert.is(failure.code, 'E_RUNTIME_UNAVAILABLE')
    assert.match(failure.message, /docker\.sock/)
    assert.match(failure.hint ?? '', /--docker-socket/)
    await theEngine().revive()
    await until('available again', () => events.at(-1)?.type === 'available')
    assert.equal(
      events.map(event => event.type),
      ['available', 'unavailable', 'available'],
    )
    const [found] = (await runtime.list()).filter(({ key }) => key.pod === run.key.pod)
    assert.is(found?.runtimeId, runtimeId)
    assert.is(found?.state, 'running')
  },
)

docker('an engine that hangs is noticed, and calls do not wait for ever', async ({ events }) => {
  await until('the first connection', () => events.find(event => event.type === 'available'))
  theEngine().freeze()
  try {
    await until('unavailable', () => events.find(event => event.type === 'unavailable'))
  } finally {
    theEngine().thaw()
  }
  await until('available again', () => events.at(-1)?.type === 'available')
})

fake.run()
processes.run()
docker.run()
