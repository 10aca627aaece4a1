/**
 * The filters, in the order in which they are asked: what no node can change about itself first, what other pods take
 * up last. A filter rules a row out, says why in a phrase, and says what would help.
 */
import type { Node } from '../model/node.ts'
import type { Ask } from './ask.ts'
import type { Check, Filter } from './check.ts'
import type { NodeColumns } from './columns.ts'
import { constraintChecks } from './constraints.ts'
import { canRun, runtimeNeeds } from './match.ts'
import { hasDynamicPorts, takenFixedPort } from './ports.ts'
import { resourceChecks } from './resources.ts'
import type { Phrase } from './words.ts'

const nodeCheck = (
  columns: NodeColumns,
  fits: (node: Node) => boolean,
  phrase: Phrase,
  remedy: string,
): readonly Check[] => [
  { isLasting: true, fits: row => fits(columns.nodes[row]!), phrase: () => phrase, remedy },
]

const aliveFilter: Filter = (_ask, columns) =>
  nodeCheck(columns, node => node.state === 'alive', ['is dead', 'are dead'], 'bring the dead nodes back')

const schedulableFilter: Filter = (_ask, columns) =>
  nodeCheck(columns, node => node.schedulable, ['is drained', 'are drained'], 'activate a drained node')

const runtimeFilter: Filter = ({ workload }, columns) => {
  const needs = runtimeNeeds(workload.spec.pod)
  const phrase: Phrase =
    needs.images && needs.commands
      ? ['cannot run images and commands in one pod', 'cannot run images and commands in one pod']
      : needs.images
        ? ['cannot run images', 'cannot run images']
        : ['cannot run commands without an image', 'cannot run commands without an image']
  const remedy = needs.images
    ? needs.commands
      ? 'give every container an image, or none'
      : 'start a node with the docker runtime'
    : 'start a node with the process runtime, or give an image'
  return nodeCheck(columns, node => canRun(node, needs), phrase, remedy)
}

const fixedPortsFilter: Filter = ({ declared }, columns) => {
  if (!declared.some(({ port }) => port.host !== null)) return []
  return [
    {
      isLasting: false,
      fits: row => takenFixedPort(columns, row, declared) === null,
      phrase: rows => {
        const taken = takenFixedPort(columns, rows[0]!, declared)
        return [`has port ${taken} taken`, `have port ${taken} taken`]
      },
      remedy: 'free the host port on a node, or let the scheduler choose one',
    },
  ]
}

const dynamicPortsFilter: Filter = ({ declared }, columns) => {
  const needed = declared.filter(({ port }) => port.host === null).length
  if (needed === 0) return []
  return [
    {
      isLasting: false,
      fits: row => hasDynamicPorts(columns, row, declared),
      phrase: () => ['has too few ports left in its range', 'have too few ports left in their range'],
      remedy: 'start nodes with a larger port range',
    },
  ]
}

const maxPerNodeFilter: Filter = ({ workload, liveCount }) => {
  const { kind, name, place } = workload.spec
  const limit = place.maxPerNode
  if (limit === null || kind === 'global') return []
  return [
    {
      isLasting: false,
      fits: row => liveCount[row]! < limit,
      phrase: () => [
        `runs ${limit} of at most ${limit} pods of ${name}`,
        `run ${limit} of at most ${limit} pods of ${name}`,
      ],
      remedy: 'raise place.maxPerNode, or add nodes',
    },
  ]
}

export const FILTERS: readonly Filter[] = [
  aliveFilter,
  schedulableFilter,
  runtimeFilter,
  constraintChecks,
  maxPerNodeFilter,
  fixedPortsFilter,
  dynamicPortsFilter,
  resourceChecks,
]

export const checksOf = (ask: Ask, columns: NodeColumns): readonly Check[] =>
  FILTERS.flatMap(filter => filter(ask, columns))
