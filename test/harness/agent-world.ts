/** One node's agent on a virtual clock, a fake host and a log of one: for tests of what an agent does with its pods. */
import type { ActorRef } from '../../node/actor/actor.ts'
import { type ActorSystem, createActorSystem } from '../../node/actor/system.ts'
import { type AgentMessage, agentActor } from '../../node/agent/agent.actor.ts'
import type { Prober } from '../../node/agent/prober.ts'
import type { Change, Consensus } from '../../node/consensus/consensus.ts'
import { Failure } from '../../node/errors.ts'
import { silentLog } from '../../node/log.ts'
import { createFakeRuntime } from '../../node/runtime/fake.ts'
import { type BehaviorOf, FakeHost, steadyBehavior } from '../../node/runtime/fake-host.ts'
import type { Runtime } from '../../node/runtime/runtime.ts'
import {
  apply,
  type ClusterEvent,
  type Command,
  type ContainerSpec,
  emptyState,
  type NodeFacts,
  type NodeId,
  type Pod,
  type PodId,
  type WorkloadSpec,
} from '../../scheduler/index.ts'
import { prng } from './prng.ts'
import { virtualClock } from './virtual-clock.ts'

const NODE = 'node-1' as NodeId
const STEP_MS = 10
const CLUSTER = 'cluster-1'

/** The fake host answers every kind of check as its behaviour says. */
export const fakeProber = (host: FakeHost): Prober => ({
  async probe(check, { key }) {
    const ok = host.isHealthy(key)
    return { ok, text: `${check.type}: ${ok ? 'fine' : 'no answer'}` }
  },
})

export const containerSpec = (over: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main',
  image: null,
  command: ['serve'],
  env: {},
  ports: [],
  resources: { cpuMillis: 0, memoryBytes: 0 },
  health: null,
  ...over,
})

export const workloadSpec = (over: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  name: 'web',
  kind: 'service',
  count: 4,
  pod: { labels: {}, containers: [containerSpec()] },
  place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
  restart: { policy: 'always', backoffMs: 1_000, backoffMsMax: 8_000, attemptsMax: null },
  update: { parallelism: 1, order: 'stop-first' },
  ...over,
})

const nodeFacts: NodeFacts = {
  id: NODE,
  name: 'ash',
  address: '127.0.0.1',
  peerAddress: '127.0.0.1:7701',
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 4_000, memoryBytes: 8_000_000_000 },
  runtime: 'fake',
  portRange: [20_000, 20_999],
  version: '0.1.0',
}

/** A log with one writer: applied at once, or unreachable when the test says so. */
class LogOfOne implements Pick<Consensus, 'state' | 'subscribe' | 'submit'> {
  readonly #state = emptyState()
  readonly #listeners = new Set<(change: Change) => void>()
  isReachable = true
  /** Says yes and writes nothing, as a leader that is replaced at the wrong moment seems to. */
  isForgetful = false
  submitted: Command[] = []

  state() {
    return this.#state
  }

  subscribe(listener: (change: Change) => void) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async submit(command: Command) {
    if (!this.isReachable) throw new Failure('E_NO_LEADER', 'nobody leads')
    this.submitted.push(command)
    if (this.isForgetful) return { ok: true as const, index: this.#state.index }
    return this.write(command)
  }

  write(command: Command) {
    const index = this.#state.index + 1
    const { outcome, events } = apply(this.#state, { requestId: `r${index}`, command }, { index, term: 1 })
    for (const listener of this.#listeners) listener({ state: this.#state, events: events as ClusterEvent[] })
    return outcome
  }
}

export class AgentWorld {
  readonly clock = virtualClock(1_000_000)
  readonly log = new LogOfOne()
  readonly host: FakeHost
  agent: ActorRef<AgentMessage> | null = null
  system: ActorSystem | null = null
  isReady = true
  #podCount = 0

  constructor(behaviorOf: BehaviorOf = () => steadyBehavior) {
    this.host = new FakeHost({ clock: this.clock, behaviorOf, capacity: nodeFacts.capacity })
    this.must({
      type: 'cluster/Init',
      cluster: { id: CLUSTER, name: 'test', publicKey: '', privateKey: '', createdAtMs: 0 },
      node: nodeFacts,
    })
  }

  /** Starts the node program; what the host runs already is still there. */
  boot(disguise: (runtime: Runtime) => Runtime = runtime => runtime): void {
    const { clock, host } = this
    const system = createActorSystem({ clock, random: prng(1).random, log: silentLog })
    this.system = system
    this.agent = system.spawn('agent', () =>
      agentActor({
        self: NODE,
        consensus: this.log,
        runtime: disguise(createFakeRuntime(host, { cluster: CLUSTER, node: NODE })),
        prober: fakeProber(host),
        isReady: () => this.isReady,
        stopGraceMs: 1_000,
      }),
    )
  }

  /** kill -9 of the node program: containers run on. */
  kill(): void {
    this.system?.stop()
    this.system = null
  }

  must(command: CommandWithoutTime): void {
    const outcome = this.log.write({ ...command, atMs: this.clock.wallMs() } as Command)
    if (!outcome.ok) throw new Error(outcome.refusal.message)
  }

  /** What the leader would do: puts one pod of the workload, already applied, on this node. */
  assign(workload: string, slot = 1): PodId {
    const row = this.log.state().workloads.get(workload)
    if (row === undefined) throw new Error(`no workload ${workload}`)
    const id = `pod-${++this.#podCount}` as PodId
    const containers = row.spec.pod.containers
    const ports = containers.flatMap(container =>
      container.ports.map((port, n) => ({
        name: port.name,
        owner: container.name,
        container: port.container,
        host: 20_000 + 100 * this.#podCount + n,
        protocol: port.protocol,
      })),
    )
    const nowMs = this.clock.wallMs()
    const index = this.log.state().index
    this.must({
      type: 'plan/Apply',
      plan: {
        basedOnIndex: index,
        changes: [
          {
            type: 'start',
            pod: {
              id,
              workload,
              slot,
              generation: row.generation,
              node: NODE,
              desired: 'running',
              state: 'assigned',
              health: 'unknown',
              restarts: 0,
              reason: null,
              ports,
              containers: [],
              decision: {
                strategy: 'spread',
                index,
                atMs: nowMs,
                cause: 'scale',
                candidates: [],
                consideredCount: 1,
              },
              createdAtMs: nowMs,
              stateChangedAtMs: nowMs,
            },
          },
        ],
      },
    })
    return id
  }

  stopPod(id: PodId): void {
    const basedOnIndex = this.log.state().index
    this.must({
      type: 'plan/Apply',
      plan: { basedOnIndex, changes: [{ type: 'stop', pod: id, reason: 'scale' }] },
    })
  }

  pod(id: PodId): Pod {
    const pod = this.log.state().pods.get(id)
    if (pod === undefined) throw new Error(`no pod ${id}`)
    return pod
  }

  /** `web.1/main running`, … as the host has it. */
  containers(): string[] {
    return this.host
      .containers()
      .map(({ state }) => `${state.key.podName}/${state.key.container} ${state.state}`)
      .sort()
  }

  async run(ms: number): Promise<void> {
    for (let elapsedMs = 0; elapsedMs < ms; elapsedMs += STEP_MS) {
      await flush()
      this.clock.advance(STEP_MS)
    }
    await flush()
  }
}

type CommandWithoutTime = Command extends infer Each
  ? Each extends Command
    ? Omit<Each, 'atMs'>
    : never
  : never

/** Lets promises and mailboxes come to rest; time stands still. */
const flush = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
}
