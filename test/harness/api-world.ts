/** A small cluster for tests of the API: real state machine, real scheduler, everything around them faked. */
import type { Member } from '../../gossip/index.ts'
import type { ApiDeps, LocalLogLine, LocalLogs } from '../../node/api/deps.ts'
import { systemClock } from '../../node/clock.ts'
import { Failure, failureOf } from '../../node/errors.ts'
import { foundCluster } from '../../node/founding.ts'
import { silentLog } from '../../node/log.ts'
import type { Call, CallOptions, Responder } from '../../node/transport/transport.ts'
import {
  type NodeFacts,
  type NodeId,
  type PodId,
  type PodReport,
  PROTOCOL,
  plan,
  type WorkloadSpec,
} from '../../scheduler/index.ts'
import { type FakeConsensus, type FakeLog, fakeLog } from './fake-consensus.ts'

export const AT_MS = Date.UTC(2026, 0, 1)

export const nodeFacts = (name: string, address = '127.0.0.1'): NodeFacts => ({
  id: `peer-${name}` as NodeId,
  name,
  address,
  peerAddress: `${address}:7701`,
  apiAddress: null,
  labels: {},
  capacity: { cpuMillis: 4_000, memoryBytes: 8 * 1024 ** 3 },
  runtime: 'fake',
  portRange: [20_000, 20_999],
  version: '0.1.0',
  protocol: PROTOCOL,
})

export const spec = (name: string, changes: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  name,
  kind: 'service',
  count: 1,
  pod: {
    labels: {},
    containers: [
      {
        name: 'main',
        image: 'nginx',
        command: [],
        env: {},
        ports: [],
        resources: { cpuMillis: 100, memoryBytes: 1024 },
        health: null,
      },
    ],
  },
  place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
  restart: { policy: 'always', backoffMs: 100, backoffMsMax: 1_000, attemptsMax: null },
  update: { parallelism: 1, order: 'stop-first' },
  ...changes,
})

export type ApiWorld = {
  readonly log: FakeLog
  /** What gossip believes; change it to let a node fall silent. */
  readonly members: Map<string, Member>
  /** What the nodes' runtimes would give as logs, by pod id. */
  readonly lines: Map<string, LocalLogLine[]>
  /** Peers that take no calls. */
  readonly unreachable: Set<string>
  deps(name: string, changes?: Partial<ApiDeps>): ApiDeps & { readonly consensus: FakeConsensus }
  apply(workload: WorkloadSpec): void
  /** Lets the leader plan until it has nothing more to do, and nodes run what they got. */
  settle(): void
  report(report: Pick<PodReport, 'id'> & Partial<PodReport>): void
}

/** The first name makes the cluster, the others join; all are voters. */
export const apiWorld = (names: readonly string[], log = fakeLog()): ApiWorld => {
  const members = new Map<string, Member>()
  const lines = new Map<string, LocalLogLine[]>()
  const unreachable = new Set<string>()
  const responders = new Map<string, Responder>()
  const consensus = new Map<string, FakeConsensus>()
  let podCount = 0

  for (const [position, name] of names.entries()) {
    const node = nodeFacts(name, `127.0.0.${position + 1}`)
    if (position === 0)
      log.commit({
        type: 'cluster/Init',
        atMs: AT_MS,
        cluster: {
          id: 'c1',
          name: 'quartet',
          publicKey: PUBLIC_KEY,
          privateKey: PRIVATE_KEY,
          createdAtMs: AT_MS,
        },
        node,
      })
    else join(log, node)
    members.set(node.id, {
      id: node.id,
      incarnation: 1,
      state: 'alive',
      addresses: [node.peerAddress],
      metadata: {},
    })
    consensus.set(name, log.consensus(node.id))
  }

  async function* call(
    from: string,
    to: string,
    request: unknown,
    { signal }: CallOptions,
  ): AsyncGenerator<unknown> {
    const responder = responders.get(to)
    if (responder === undefined || unreachable.has(to))
      throw new Failure('E_UNREACHABLE', 'connection refused')
    const ended = new AbortController()
    signal?.addEventListener('abort', () => ended.abort())
    // Through JSON: what a message cannot carry must not arrive.
    const sent: Call = {
      from,
      host: '127.0.0.1',
      request: JSON.parse(JSON.stringify(request)),
      signal: ended.signal,
    }
    try {
      for await (const value of responder(sent)) {
        if (unreachable.has(to)) throw new Failure('E_UNREACHABLE', 'connection reset')
        yield JSON.parse(JSON.stringify(value))
      }
    } catch (thrown) {
      throw failureOf(thrown)
    } finally {
      ended.abort()
    }
  }

  const localLogs = (nodeId: string): LocalLogs =>
    async function* (podId, container, { tail }) {
      const kept = lines.get(podId)
      if (kept === undefined || log.state.pods.get(podId)?.node !== nodeId)
        throw new Failure('E_NOT_FOUND', `the logs of pod ${podId} are not kept here`)
      const wanted = kept.filter(line => container === null || line.container === container)
      yield* tail === null ? wanted : wanted.slice(Math.max(0, wanted.length - tail))
    }

  return {
    log,
    members,
    lines,
    unreachable,
    deps(name, changes = {}) {
      const id = `peer-${name}`
      const own = consensus.get(name)
      if (own === undefined) throw new Error(`${name} is no node of this world`)
      let randomCount = 0
      return {
        node: { id, name, version: '0.1.0', runtime: 'fake', startedAtMs: 0, dataDirectory: '/tmp' },
        transport: {
          call: (to, _protocol, request, options) => call(id, to, request, options),
          onCall: (_protocol, responder) => void responders.set(id, responder),
          connected: () => new Set([...members.keys()].filter(peer => peer !== id && !unreachable.has(peer))),
          missing: () => new Set([...members.keys()].filter(peer => peer !== id && unreachable.has(peer))),
        },
        members: () => [...members.values()],
        seats: () => new Map([['peer-ash', 'leads']]),
        actors: () => [
          {
            path: '/raft',
            mailbox: 0,
            mailboxMax: 1_024,
            receivedCount: 7,
            droppedCount: 0,
            restartCount: 0,
            lastCrash: null,
          },
        ],
        localLogs: localLogs(id),
        leave: async () => void log.commit({ type: 'node/Leave', id: id as NodeId, atMs: AT_MS }),
        runtimeHealth: async () => ({ isReachable: true, text: 'the fake runtime answers' }),
        loopLagMs: () => 1,
        note: () => undefined,
        clock: { ...systemClock(), wallMs: () => AT_MS + 60_000 },
        randomId: () => `${name}-${++randomCount}`,
        log: silentLog,
        ...changes,
        consensus: own,
      }
    },
    apply(workload) {
      log.commit({ type: 'workload/Apply', spec: workload, checkIndex: null, atMs: AT_MS })
    },
    settle() {
      for (let round = 0; round < 50; round++) {
        const due = plan(log.state, { nowMs: AT_MS, seed: 1, podId: () => `p${++podCount}` as PodId })
        if (due === null) return
        log.commit({ type: 'plan/Apply', plan: due, atMs: AT_MS })
        for (const pod of log.state.pods.values()) {
          if (pod.desired === 'stopped') this.report({ id: pod.id, state: 'stopped' })
          else if (pod.state === 'assigned') this.report({ id: pod.id, state: 'running', health: 'none' })
        }
      }
      throw new Error('the plan does not come to rest')
    },
    report(report) {
      const pod = log.state.pods.get(report.id)
      if (pod === undefined) throw new Error(`there is no pod ${report.id}`)
      const { state, health, restarts, reason, containers } = pod
      log.commit({
        type: 'pod/Report',
        node: pod.node,
        reports: [{ state, health, restarts, reason, containers, ...report }],
        atMs: AT_MS,
      })
    },
  }
}

const { publicKey: PUBLIC_KEY, privateKey } = foundCluster(AT_MS)
/** Of the cluster: no answer may hold it. */
export const PRIVATE_KEY = privateKey

const join = (log: FakeLog, node: NodeFacts): void => {
  const id = `join-${node.name}`
  log.commit({
    type: 'token/Create',
    atMs: AT_MS,
    token: {
      id,
      kind: 'join',
      secretHash: 'ab'.repeat(32),
      role: 'viewer',
      labels: {},
      uses: 1,
      expiresAtMs: AT_MS + 1,
    },
  })
  log.commit({ type: 'node/Join', atMs: AT_MS, node, tokenId: id, secretHash: 'ab'.repeat(32) })
}
