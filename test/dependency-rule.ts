/** The dependency rule as data: which part of the house may import which, and why. `tidy.test.ts` holds everybody to it. */

export const ROOMS = ['raft', 'gossip', 'scheduler', 'node', 'cli', 'test']

export type Rule = {
  /** Path prefix the rule holds for; the longest matching prefix wins. */
  readonly from: string
  /** Path prefixes inside the project that may be imported besides the folder itself. */
  readonly may: readonly string[]
  readonly node: 'all' | 'assert'
  /** npm packages; `*` for all. */
  readonly npm: readonly string[]
  readonly why: string
}

const CORES = ['raft/index.ts', 'gossip/index.ts', 'scheduler/index.ts']
const EDGES = [
  'node/actor',
  'node/clock.ts',
  'node/log.ts',
  'node/codec.ts',
  'node/errors.ts',
  'node/host-counts.ts',
  'node/incidents.ts',
  'node/durable-file.ts',
]
const INTERFACES = [
  'node/transport/transport.ts',
  'node/runtime/runtime.ts',
  'node/consensus/consensus.ts',
  'node/consensus/storage.ts',
]

/** Who may import what. */
export const RULES: readonly Rule[] = [
  { from: 'raft/', may: [], node: 'assert', npm: [], why: 'a core is pure and knows no other room' },
  { from: 'gossip/', may: [], node: 'assert', npm: [], why: 'a core is pure and knows no other room' },
  { from: 'scheduler/', may: [], node: 'assert', npm: [], why: 'a core is pure and knows no other room' },
  {
    from: 'node/actor/',
    may: ['node/clock.ts', 'node/log.ts', 'node/errors.ts'],
    node: 'assert',
    npm: [],
    why: 'actors get time and dice injected',
  },
  {
    from: 'node/transport/',
    may: [...CORES, ...EDGES],
    node: 'all',
    npm: ['libp2p', '@libp2p/', '@multiformats/'],
    why: 'libp2p has one home',
  },
  {
    from: 'node/runtime/',
    may: [...CORES, ...EDGES],
    node: 'all',
    npm: ['dockerode'],
    why: 'dockerode has one home',
  },
  {
    from: 'node/consensus/',
    may: [...CORES, ...EDGES, ...INTERFACES, 'node/footprint.ts'],
    node: 'all',
    npm: [],
    why: 'agreement talks through the transport interface',
  },
  {
    from: 'node/membership/',
    may: [...CORES, ...EDGES, ...INTERFACES, 'node/transport/identity.ts'],
    node: 'all',
    npm: [],
    why: 'membership talks through the transport interface',
  },
  {
    from: 'node/control/',
    may: [...CORES, ...EDGES, ...INTERFACES],
    node: 'assert',
    npm: [],
    why: 'deciding needs interfaces only',
  },
  {
    from: 'node/agent/',
    may: [...CORES, ...EDGES, ...INTERFACES],
    node: 'assert',
    npm: [],
    why: 'running pods needs interfaces only',
  },
  {
    from: 'node/agent/prober.ts',
    may: [...CORES, ...EDGES, ...INTERFACES, 'node/agent'],
    node: 'all',
    npm: [],
    why: 'the one place where probes touch sockets',
  },
  {
    from: 'node/api/',
    may: [
      ...CORES,
      ...EDGES,
      ...INTERFACES,
      'node/membership/token.ts',
      'node/control/disk-word.ts',
      'node/control/health/',
      'node/authority/authority.ts',
    ],
    node: 'all',
    npm: ['find-my-way', 'zod'],
    why: 'the API is a door, not a room behind it',
  },
  {
    from: 'node/authority/',
    may: [...CORES, 'node/membership/token.ts'],
    node: 'all',
    npm: [],
    why: 'certificates are made of the cluster’s key and nothing else',
  },
  {
    from: 'node/codec.ts',
    may: ['node/errors.ts'],
    node: 'all',
    npm: ['msgpackr'],
    why: 'msgpackr has one home',
  },
  { from: 'node/log.ts', may: [], node: 'all', npm: ['pino'], why: 'pino has one home' },
  {
    from: 'node/',
    may: ['node/', ...CORES],
    node: 'all',
    npm: [],
    why: 'the composition root wires everything in node/',
  },
  {
    from: 'cli/',
    may: [
      'scheduler/index.ts',
      'node/api/native/schema.ts',
      'node/api/native/schema-access.ts',
      'node/api/native/workload-file.ts',
      'node/api/native/words.ts',
      'node/api/nearest.ts',
      'node/authority/endorsement.ts',
      'node/errors.ts',
      'node/membership/token.ts',
      'node/paths.ts',
    ],
    node: 'all',
    npm: [
      'commander',
      '@bomb.sh/tab',
      '@clack/prompts',
      'string-width',
      'yaml',
      'log-update',
      'fastest-levenshtein',
    ],
    why: 'the CLI knows the API’s shapes only',
  },
  {
    from: 'cli/commands/start.ts',
    may: ['cli/', 'node/main.ts', 'node/config.ts', 'node/errors.ts', 'node/paths.ts'],
    node: 'all',
    npm: ['commander'],
    why: 'only `tutti start` becomes a node',
  },
  {
    from: 'cli/commands/recovery/',
    may: [
      'cli/',
      'node/recovery/',
      'node/api/native/schema.ts',
      'node/api/native/schema-access.ts',
      'node/clock.ts',
      'node/config.ts',
      'node/durable-file.ts',
      'node/errors.ts',
      'node/log.ts',
      'node/paths.ts',
    ],
    node: 'all',
    npm: [],
    why: 'these verbs also work on files and data directories, where no node runs',
  },
  {
    from: 'test/',
    may: [...ROOMS.map(room => `${room}/`)],
    node: 'all',
    npm: ['*'],
    why: 'tests see everything',
  },
]
