/** `tutti nodes`: the machines of the cluster. */
import type { NodeView } from '../../node/api/native/schema.ts'
import type { Command } from '../command.ts'
import { showList, WATCH_OPTION } from '../list.ts'
import type { Column } from '../output/table.ts'
import { bytes, cores, elapsed } from '../output/time.ts'
import { checkNames, nodeName } from '../target.ts'

const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** What a node is to the scheduler: alive is only the best that it can be. */
const stateOf = ({ state, schedulable, pods, probationMs }: NodeView): string => {
  if (state !== 'alive') return state
  if (!schedulable) return pods > 0 ? 'draining' : 'drained'
  return typeof probationMs === 'number' ? 'on probation' : state
}

const clockText = (skewMs: number | undefined): string | null => {
  if (skewMs === undefined) return null
  return skewMs === 0 ? 'agrees' : `${elapsed(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead' : 'behind'}`
}

/** Why the cluster keeps work from it, or would. */
const conditionText = ({ ailing, probationMs, losses, ailments }: NodeView): string | null => {
  const parts = [
    ...(typeof ailing === 'string' ? [`drained by the cluster: ${ailing}`] : []),
    ...(typeof probationMs === 'number'
      ? [`lost ${losses} times: on probation for ${Math.ceil(probationMs / 1_000)}s more`]
      : []),
    ...(typeof ailing === 'string' ? [] : (ailments ?? [])),
  ]
  return parts.length === 0 ? null : parts.join('; ')
}

const columns: readonly Column<NodeView>[] = [
  { title: 'NODE', cell: node => node.name },
  {
    title: 'STATE',
    cell: stateOf,
    as: 'state',
  },
  { title: 'ROLE', cell: node => (node.state === 'left' ? null : node.role) },
  { title: 'ADDRESS', cell: node => node.address },
  { title: 'CPU', cell: node => `${cores(node.reserved.cpuMillis)}/${cores(node.capacity.cpuMillis)}` },
  {
    title: 'MEMORY',
    cell: node => `${bytes(node.reserved.memoryBytes)}/${bytes(node.capacity.memoryBytes)}`,
  },
  { title: 'PODS', cell: node => node.pods },
  { title: 'RUNTIME', cell: node => node.runtime },
  { title: 'PEER', cell: node => node.peerAddress, isWide: true },
  { title: 'API', cell: node => node.apiAddress, isWide: true },
  { title: 'VERSION', cell: node => node.version, isWide: true },
  { title: 'PROTOCOL', cell: node => node.protocol ?? null, isWide: true },
  { title: 'DISK', cell: ({ diskMs }) => (diskMs == null ? null : `${diskMs}ms`), isWide: true },
  { title: 'CLOCK', cell: node => clockText(node.skewMs), isWide: true },
  { title: 'HEALTH', cell: node => node.health ?? null, isWide: true },
  { title: 'ID', cell: node => node.id, isWide: true },
  { title: 'CONDITION', cell: conditionText, as: 'text', isWide: true },
  { title: 'LABELS', cell: node => labelsText(node.labels), as: 'text' },
]

export const command: Command = {
  arguments: [{ name: 'node', description: 'only these', count: 'any', completes: 'node' }],
  options: [WATCH_OPTION],
  examples: ['tutti nodes', 'tutti nodes -o wide', 'tutti nodes -q'],
  isEndless: flags => flags.is('watch'),
  run: (call, session) =>
    showList(
      {
        columns,
        name: node => node.name,
        empty: 'no nodes',
        check: nodes => checkNames(call.args.map(nodeName), nodes, 'node'),
        fetch: async () =>
          (await session.client.nodes()).filter(
            node => call.args.length === 0 || call.args.some(name => nodeName(name) === node.name),
          ),
      },
      call,
      session,
    ),
}
