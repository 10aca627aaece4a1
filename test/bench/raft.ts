/**
 * Three real nodes on loopback with fsync, written to through the public API by closed-loop clients that are spread over
 * the nodes, beside three nodes of etcd under the same generator. Both are reached by unix sockets and take their turns
 * twice, one alive at a time: all numbers of clients, then fail-overs. Where etcd is not installed, the peer is the floor
 * of this disk, and for a fail-over the shortest election timeout, which a dead leader's silence costs at least.
 */
import { loadavg } from 'node:os'
import { defaultOptions } from '../../raft/index.ts'
import { type Contender, VALUE_BYTES } from './contender.ts'
import { etcdVersion, startEtcd } from './etcd.ts'
import { failOver, medianOf } from './failover.ts'
import { diskFloor } from './floor.ts'
import { type Figures, figuresOf, type Load, load } from './load.ts'
import { type BenchOptions, type Result, type Row, rowOf } from './row.ts'
import { startTutti } from './tutti.ts'

const ROUNDS = 2
const TRIALS = 20
/** Not counted: a program that is compiled while it runs gets faster for some ten thousand writes. Both get the same. */
const WARM_UP = { clients: 256, ms: 8_000 } as const
const ELECTION_MS = defaultOptions(1).electionTicksMin

type Measured = { readonly loads: Map<number, Load[]>; readonly failoversMs: number[] }

export const benchRaft = async (options: BenchOptions): Promise<Result> => {
  const version = etcdVersion()
  const loadBefore = loadavg()[0] ?? Number.NaN
  const [ours, theirs] = [emptyMeasured(), emptyMeasured()]
  for (let round = 0; round < ROUNDS; round++) {
    await takeTurn(startTutti, options, ours)
    if (version !== null) await takeTurn(startEtcd, options, theirs)
    else await takeFloorsTurn(options, theirs)
  }
  const peer = version === null ? 'this disk (etcd is not installed)' : `etcd ${version}, gRPC`
  return {
    head: [
      `ours: 3 nodes, POST /tutti/v1/workloads; peer: ${peer}; ${VALUE_BYTES}-byte values, all with fsync`,
      `${ROUNDS} turns each of ${options.seconds} s, one generator in one process, unix sockets, load average before: ${loadBefore.toFixed(1)}`,
    ],
    rows: [...loadRows(ours, theirs), ...failoverRows(ours, theirs)],
  }
}

const emptyMeasured = (): Measured => ({ loads: new Map(), failoversMs: [] })

const takeTurn = async (
  start: () => Promise<Contender>,
  { clients, seconds, trials }: BenchOptions,
  measured: Measured,
): Promise<void> => {
  const contender = await start()
  try {
    await contender.settledLeader()
    if (clients.length > 0) await load(contender, WARM_UP.clients, WARM_UP.ms)
    for (const count of clients) note(measured, count, await load(contender, count, seconds * 1_000))
    for (let trial = 0; trial < (trials ?? TRIALS) / ROUNDS; trial++)
      measured.failoversMs.push(await failOver(contender))
  } finally {
    await contender.stop()
  }
}

const takeFloorsTurn = async ({ clients, seconds }: BenchOptions, measured: Measured): Promise<void> => {
  for (const count of clients) note(measured, count, diskFloor(seconds * 1_000))
  measured.failoversMs.push(ELECTION_MS)
}

const note = ({ loads }: Measured, clients: number, turn: Load): void => {
  loads.set(clients, [...(loads.get(clients) ?? []), turn])
}

const loadRows = (ours: Measured, theirs: Measured): readonly Row[] => {
  const all = [...ours.loads].map(([clients, turns]) => ({
    clients,
    our: figuresOf(turns),
    their: figuresOf(theirs.loads.get(clients) ?? []),
  }))
  const rows = (name: string, of: (figures: Figures) => number): readonly Row[] =>
    all.map(({ clients, our, their }) => rowOf(name, clients, of(our), of(their)))
  return [
    ...rows('commits/s', figures => figures.perSecond),
    ...rows('p99 ms', figures => figures.p99Ms),
    ...rows('µs/write, nodes', figures => figures.nodeMicros),
    ...rows('µs/write, generator', figures => figures.ownMicros),
  ]
}

const failoverRows = (ours: Measured, theirs: Measured): readonly Row[] =>
  ours.failoversMs.length === 0
    ? []
    : [
        rowOf('failover ms', 1, medianOf(ours.failoversMs), medianOf(theirs.failoversMs)),
        rowOf('failover ms, slowest', 1, Math.max(...ours.failoversMs), Math.max(...theirs.failoversMs)),
      ]
