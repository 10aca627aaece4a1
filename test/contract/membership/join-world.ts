/** Strangers and a member for the stories of joining, over both transports. */
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../../node/clock.ts'
import { Failure } from '../../../node/errors.ts'
import { foundCluster } from '../../../node/founding.ts'
import { type Log, silentLog } from '../../../node/log.ts'
import { joinCluster } from '../../../node/membership/join.ts'
import { serveJoins } from '../../../node/membership/join-service.ts'
import { createToken } from '../../../node/membership/token.ts'
import { generateIdentity } from '../../../node/transport/identity.ts'
import { createLibp2pTransport } from '../../../node/transport/libp2p.ts'
import { memoryNetwork } from '../../../node/transport/memory.ts'
import type { Transport } from '../../../node/transport/transport.ts'
import type { NodeFacts, NodeId } from '../../../scheduler/index.ts'
import { type FakeLog, fakeLog } from '../../harness/fake-consensus.ts'

type Make = (who: string) => Promise<Transport>

export const clock = systemClock()
export const HOUR_MS = 3_600_000

export const factsOf = (transport: Transport, name: string): NodeFacts => ({
  id: transport.self as NodeId,
  name,
  address: '127.0.0.1',
  peerAddress: transport.addresses()[0] as string,
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 1_000, memoryBytes: 1 },
  runtime: 'process',
  portRange: [20_000, 29_999],
  version: '0.1.0',
})

/** A member with a cluster of one, and tokens for it. */
export const foundOn = (seed: Transport, log: Log = silentLog) => {
  const cluster = foundCluster(clock.wallMs())
  const ledger: FakeLog = fakeLog()
  ledger.commit({ type: 'cluster/Init', atMs: clock.wallMs(), cluster, node: factsOf(seed, 'seed') })
  serveJoins({ transport: seed, consensus: ledger.consensus(seed.self), clock, log })
  const token = (expiresInMs = HOUR_MS): { readonly id: string; readonly text: string } => {
    const { id, text, joinHash } = createToken(cluster.publicKey)
    ledger.commit({
      type: 'token/Create',
      atMs: clock.wallMs(),
      token: {
        id,
        kind: 'join',
        secretHash: joinHash,
        role: 'viewer',
        labels: { zone: 'a' },
        uses: 1,
        expiresAtMs: clock.wallMs() + expiresInMs,
      },
    })
    return { id, text }
  }
  return { cluster, ledger, token }
}

export const failureOf = async (promise: Promise<unknown>): Promise<Failure> => {
  try {
    await promise
  } catch (thrown) {
    assert.instance(thrown, Failure)
    return thrown as Failure
  }
  return assert.unreachable('it succeeded') as never
}

/** The transports of one story; all are stopped after it. */
export type JoinWorld = {
  open(who: string): Promise<Transport>
  joinAs(
    joiner: Transport,
    seeds: readonly Transport[],
    token: string,
    nodeName?: string,
  ): ReturnType<typeof joinCluster>
}

const withWorld = (name: string, makeNetwork: () => Make, tell: (story: Test, world: JoinWorld) => void) => {
  const story = suite(name)
  let running: Transport[] = []
  let make: Make
  story.before.each(() => {
    make = makeNetwork()
  })
  story.after.each(async () => {
    await Promise.all(running.map(transport => transport.stop()))
    running = []
  })
  const open = async (who: string): Promise<Transport> => {
    const transport = await make(who)
    await transport.start()
    running.push(transport)
    return transport
  }
  const joinAs = (joiner: Transport, seeds: readonly Transport[], token: string, nodeName = 'joiner') =>
    joinCluster({
      transport: joiner,
      seeds: seeds.map(seed => seed.addresses()[0] ?? 'gone:1'),
      token,
      facts: factsOf(joiner, nodeName),
    })
  tell(story, { open, joinAs })
  return story
}

/** The stories once for each transport; `run` runs them. */
export const tellOfJoining = (
  name: string,
  tell: (story: Test, world: JoinWorld) => void,
): { run(): void } => {
  const inMemory = () => {
    const network = memoryNetwork({ clock, faults: { deliver: () => [1] } })
    return async (who: string) => network.transport({ self: who, listen: '127.0.0.1:0', log: silentLog })
  }
  const overLibp2p = () => async () => {
    const { privateKey } = await generateIdentity()
    return createLibp2pTransport({ privateKey, listen: '127.0.0.1:0', clock, log: silentLog })
  }
  const suites = [
    withWorld(`${name} in memory`, inMemory, tell),
    withWorld(`${name} over libp2p`, overLibp2p, tell),
  ]
  return {
    run() {
      for (const each of suites) each.run()
    },
  }
}
