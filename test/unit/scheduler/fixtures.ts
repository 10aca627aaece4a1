/** A small cluster in memory for scheduler tests: commands in, plans applied, nodes that report as real ones would. */
import * as assert from 'uvu/assert'
import {
  type Actor,
  apply,
  type ClusterEvent,
  type Command,
  type Constraint,
  type ContainerSpec,
  emptyState,
  isEnded,
  isReady,
  type Node,
  type NodeFacts,
  type NodeId,
  nextDueMs,
  type Outcome,
  type Plan,
  type Pod,
  type PodId,
  type PodReport,
  type PodState,
  plan,
  type Request,
  type State,
  snapshotOf,
  type WorkloadSpec,
} from '../../../scheduler/index.ts'

/** A command without its time: the world's clock is put in. */
export type Act = Command extends infer C ? (C extends Command ? Omit<C, 'atMs'> : never) : never

export const nodeFacts = (name: string, facts: Partial<NodeFacts> = {}): NodeFacts => ({
  id: `id-${name}` as NodeId,
  name,
  address: `10.0.0.${[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 250}`,
  peerAddress: '10.0.0.1:7701',
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 4_000, memoryBytes: 4 * 2 ** 30 },
  runtime: 'fake',
  portRange: [20_000, 20_099],
  version: '0.1.0',
  ...facts,
})

export const container = (facts: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main',
  image: 'nginx',
  command: [],
  env: {},
  ports: [],
  resources: { cpuMillis: 0, memoryBytes: 0 },
  health: null,
  ...facts,
})

export const spec = (facts: Partial<WorkloadSpec> = {}, one: Partial<ContainerSpec> = {}): WorkloadSpec => ({
  name: 'web',
  kind: 'service',
  count: 3,
  pod: { labels: {}, containers: [container(one)] },
  place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
  restart: { policy: 'always', backoffMs: 1_000, backoffMsMax: 30_000, attemptsMax: null },
  update: { parallelism: 1, order: 'stop-first' },
  ...facts,
})

export const constraint = (
  attribute: string,
  operator: Constraint['operator'],
  ...values: string[]
): Constraint => ({ attribute, operator, values, hard: true, weight: 1 })

export const SECRET = 'hash-of-secret'

export class World {
  readonly state: State
  readonly events: ClusterEvent[] = []
  readonly log: { request: Request; index: number }[] = []
  nowMs = 1_000_000
  seed = 7
  #podNumber = 0

  constructor(state: State = emptyState()) {
    this.state = state
  }

  /** Applies a command and returns its outcome; `requestId` is fresh unless given. */
  do(act: Act, requestId = `r${this.state.index + 1}`, afterIndex = this.state.index, by?: Actor): Outcome {
    const command = { ...act, atMs: this.nowMs } as Command
    const request = { requestId, command, afterIndex, ...(by === undefined ? {} : { by }) }
    const index = this.state.index + 1
    this.log.push({ request, index })
    const { outcome, events } = apply(this.state, request, { index, term: 1 })
    this.events.push(...events)
    return outcome
  }

  ok(act: Act): this {
    const outcome = this.do(act)
    if (!outcome.ok) throw new Error(`${act.type} was refused: ${outcome.refusal.message}`)
    return this
  }

  refused(act: Act, code: string): void {
    const before = tablesText(this.state)
    const outcome = this.do(act)
    assert.is(outcome.ok ? 'ok' : outcome.refusal.code, code)
    assert.is(tablesText(this.state), before, 'a refused command changes nothing')
  }

  init(...names: string[]): this {
    const [first = 'ash', ...others] = names
    const cluster = { id: 'c1', name: 'demo', publicKey: 'p', privateKey: 'k', createdAtMs: this.nowMs }
    this.ok({ type: 'cluster/Init', cluster, node: nodeFacts(first) })
    const token = { id: 't1', kind: 'join', secretHash: SECRET, role: 'viewer', labels: {} } as const
    this.ok({ type: 'token/Create', token: { ...token, uses: 1_000, expiresAtMs: this.nowMs + 1e9 } })
    for (const name of others) this.join(name)
    return this
  }

  join(name: string, facts: Partial<NodeFacts> = {}): this {
    return this.ok({ type: 'node/Join', node: nodeFacts(name, facts), tokenId: 't1', secretHash: SECRET })
  }

  apply(facts: Partial<WorkloadSpec> = {}, one: Partial<ContainerSpec> = {}): this {
    return this.ok({ type: 'workload/Apply', spec: spec(facts, one), checkIndex: null })
  }

  verdict(name: string, state: 'alive' | 'dead'): this {
    return this.ok({ type: 'node/Verdict', id: id(name), state, reason: 'no answer' })
  }

  nextPlan(): Plan | null {
    const podId = (): PodId => `p${++this.#podNumber}` as PodId
    return plan(this.state, { nowMs: this.nowMs, seed: this.seed, podId })
  }

  /** Plans and applies once; the plan, or null when there was nothing to do. */
  step(): Plan | null {
    const next = this.nextPlan()
    if (next) this.ok({ type: 'plan/Apply', plan: next })
    return next
  }

  report(pod: Pod, facts: Partial<PodReport> = {}): this {
    const { state, health, restarts, reason, containers } = pod
    const report = { id: pod.id, state, health, restarts, reason, containers, ...facts }
    return this.ok({ type: 'pod/Report', node: pod.node, reports: [report] })
  }

  wait(ms: number): void {
    this.nowMs += ms
  }

  /** Every node does what it is told: new pods run and are healthy, sick ones recover, unwanted ones stop. */
  obey(failing: (pod: Pod) => PodState | null = () => null): boolean {
    const before = this.state.index
    for (const pod of this.live()) {
      if (this.state.nodes.get(pod.node)?.state !== 'alive') continue
      const end = pod.desired === 'stopped' || pod.state === 'stopping' ? 'stopped' : failing(pod)
      if (end) this.report(pod, { state: end, reason: end === 'failed' ? 'exit code 1' : null })
      else if (!isReady(pod)) this.report(pod, { state: 'running', health: 'none' })
    }
    return this.state.index !== before
  }

  /** Plans and obeys until neither has anything to do; fails when that never comes. */
  settle(failing?: (pod: Pod) => PodState | null): this {
    for (let round = 0; round < 500; round++) {
      const isPlanned = this.step() !== null
      const isObeyed = this.obey(failing)
      if (isPlanned || isObeyed) continue
      const due = nextDueMs(this.state, this.nowMs)
      if (due === null) return this
      this.nowMs = Math.max(due, this.nowMs + 1)
    }
    throw new Error('the cluster does not come to rest')
  }

  pods(workload?: string): Pod[] {
    return [...this.state.pods.values()].filter(pod => workload === undefined || pod.workload === workload)
  }

  live(workload?: string): Pod[] {
    return this.pods(workload).filter(pod => !isEnded(pod.state))
  }

  running(workload = 'web'): Pod[] {
    return this.live(workload).filter(pod => pod.state === 'running' && pod.desired === 'running')
  }

  slot(key: string): Pod {
    const pod = this.live().findLast(one => `${one.workload}.${one.slot}` === key)
    if (!pod) throw new Error(`${key} has no live pod`)
    return pod
  }

  node(name: string): Node {
    return this.state.nodes.get(id(name))!
  }

  /** `{ ash: 2, birch: 1 }`: running pods by node name. */
  spread(workload = 'web'): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { name } of this.state.nodes.values()) counts[name] = 0
    for (const pod of this.running(workload)) counts[this.state.nodes.get(pod.node)!.name]! += 1
    return counts
  }

  told(subject: string): string[] {
    return this.events.filter(event => event.subject === subject).map(({ verb }) => verb)
  }
}

export const id = (name: string): NodeId => `id-${name}` as NodeId

/** Everything but the place in the log and the memory of requests. */
export const tablesText = (state: State): string => {
  const {
    index: _index,
    term: _term,
    requests: _requests,
    forgottenIndex: _forgotten,
    audit: _audit,
    ...tables
  } = snapshotOf(state)
  return JSON.stringify(tables)
}
