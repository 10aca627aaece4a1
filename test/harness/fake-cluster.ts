/** A cluster of three nodes with one workload, as views of the native API. */
import type {
  ActorView,
  EventView,
  ExplainView,
  LogView,
  NodeView,
  PodView,
  RaftView,
  StatusView,
  WorkloadView,
} from '../../node/api/native/schema.ts'

export const TOKEN = 'tutti1_b7k_9f2c41d0_q8zx'
const NAMES = ['ash', 'birch', 'cedar'] as const

export const status = (): StatusView => ({
  cluster: 'ash-quartet',
  clusterId: 'c1',
  node: 'birch',
  nodeId: '12D3birch',
  leader: 'birch',
  term: 8,
  index: 241,
  voters: [...NAMES],
  hasQuorum: true,
  toleratesCount: 1,
  ageMs: 0,
  lastWriteMs: 1.25,
  usualWriteMs: 1.4,
  worstWriteMs: 31.5,
  unfit: null,
  nodes: { alive: 3, total: 3 },
  pods: { healthy: 3, wanted: 3 },
  version: '0.1.0',
  runtime: 'process',
  uptimeMs: 65_000,
})

export const nodes = (): NodeView[] =>
  NAMES.map((name, at) => ({
    id: `12D3${name}`,
    name,
    address: `10.0.0.1${at + 1}`,
    peerAddress: `10.0.0.1${at + 1}:7701`,
    apiAddress: null,
    state: 'alive',
    role: name === 'birch' ? 'leader' : 'voter',
    schedulable: true,
    runtime: 'process',
    labels: { zone: at === 2 ? 'us' : 'eu' },
    capacity: { cpuMillis: 4000, memoryBytes: 8 * 2 ** 30 },
    reserved: { cpuMillis: 300, memoryBytes: 600 * 2 ** 20 },
    pods: 1,
    version: '0.1.0',
  }))

export const pod = (slot: number, change: Partial<PodView> = {}): PodView => ({
  id: `pod${slot}`,
  name: `web.${slot}`,
  workload: 'web',
  slot,
  node: NAMES[(slot - 1) % 3] ?? 'ash',
  address: '10.0.0.11',
  state: 'running',
  health: 'healthy',
  restarts: 0,
  reason: null,
  generation: 1,
  ports: [{ name: 'http', owner: 'main', container: 80, host: 20_000 + slot, protocol: 'tcp' }],
  containers: [
    { name: 'main', image: 'nginx:1.27', runtimeId: `c${slot}`, state: 'running', exitCode: null },
  ],
  ageMs: 65_000,
  ...change,
})

export const pods = (): PodView[] => [1, 2, 3].map(slot => pod(slot))

export const workload = (name: string, count: number, change: Partial<WorkloadView> = {}): WorkloadView => ({
  name,
  kind: 'service',
  wanted: count,
  running: count,
  healthy: count,
  failed: 0,
  stopped: false,
  generation: 1,
  isConverged: true,
  pending: [],
  spec: {
    name,
    kind: 'service',
    count,
    pod: {
      labels: {},
      containers: [
        {
          name: 'main',
          image: 'nginx:1.27',
          command: [],
          env: {},
          ports: [{ name: 'http', container: 80, host: null, protocol: 'tcp' }],
          resources: { cpuMillis: 0, memoryBytes: 0 },
          health: null,
        },
      ],
    },
    place: { strategy: 'spread', constraints: [], spread: [], maxPerNode: null },
    restart: { policy: 'always', backoffMs: 500, backoffMsMax: 30_000, attemptsMax: null },
    update: { parallelism: 1, order: 'stop-first' },
  },
  modifiedIndex: 241,
  ...change,
})

export const raft = (): RaftView => ({
  node: 'birch',
  role: 'leader',
  leader: 'birch',
  term: 8,
  epoch: 0,
  lastIndex: 241,
  lastTerm: 8,
  commitIndex: 241,
  appliedIndex: 241,
  snapshotIndex: 100,
  voters: [...NAMES],
  learners: [],
  isJoint: false,
  hasQuorum: true,
  ageMs: 0,
  lastWriteMs: 1.25,
  usualWriteMs: 1.4,
  worstWriteMs: 31.5,
  unfit: null,
  fatal: null,
  followers: [
    {
      id: '12D3ash',
      name: 'ash',
      role: 'voter',
      match: 239,
      next: 240,
      progress: 'replicate',
      lastContactMs: 40,
      diskMs: 2,
      isReluctant: false,
      contactEveryMs: 100,
    },
  ],
})

export const actors = (): ActorView[] =>
  ['raft', 'agent', 'agent/web.2', 'gossip'].map(path => ({
    node: 'birch',
    path,
    mailbox: 0,
    mailboxMax: 1024,
    receivedCount: 12,
    droppedCount: 0,
    restartCount: 0,
    lastCrash: null,
  }))

export const events = (): EventView[] => [
  { index: 240, at: '2026-11-23T12:00:01.200Z', subject: 'node/ash', verb: 'dead', text: 'no reply' },
  { index: 241, at: '2026-11-23T12:00:05.100Z', subject: 'pod/web.1', verb: 'assigned', text: 'ash → cedar' },
]

export const log = (slot: number, line: string, change: Partial<LogView> = {}): LogView => ({
  pod: `web.${slot}`,
  node: NAMES[(slot - 1) % 3] ?? 'ash',
  container: 'main',
  at: '2026-11-23T12:00:01.200Z',
  stream: 'stdout',
  line,
  ...change,
})

export const logs = (): LogView[] => [log(1, 'hello from one'), log(2, 'hello from two')]

export const explanation = (): ExplainView => ({
  target: 'web.1',
  sentences: ['web.1 runs on cedar and is healthy.'],
  decisions: [
    {
      pod: 'web.1',
      podId: 'pod1',
      node: 'cedar',
      state: 'running',
      cause: 'replace dead node ash',
      at: '2026-11-23T12:00:05.200Z',
      index: 240,
      strategy: 'spread',
      consideredCount: 3,
      candidates: [
        {
          node: '12D3cedar' as never,
          name: 'cedar',
          score: 0.71,
          parts: { spread: 0.5, fit: 0.21 },
          refusal: null,
        },
        { node: '12D3ash' as never, name: 'ash', score: null, parts: {}, refusal: 'node ash is dead' },
      ],
    },
  ],
})

export const event = (subject: string, verb: string): EventView => ({
  index: 242,
  at: '2026-11-23T12:00:06.000Z',
  subject: `pod/${subject}`,
  verb,
  text: '',
})
