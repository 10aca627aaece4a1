/** Finds nodes by what people call them. */
import type { Node, NodeId, State } from '../../scheduler/index.ts'
import { Failure } from '../errors.ts'
import { nearest } from './nearest.ts'

const ID_CHARACTERS_SHOWN = 12

/** A node by name or id; the one that has not left where several had the name. Throws E_NOT_FOUND with a guess. */
export const nodeNamed = (state: State, name: string): Node => {
  const byId = state.nodes.get(name as NodeId)
  if (byId !== undefined) return byId
  const named = [...state.nodes.values()].filter(node => node.name === name)
  const found = named.find(node => node.state !== 'left') ?? named.at(-1)
  if (found !== undefined) return found
  const names = [...state.nodes.values()].filter(node => node.state !== 'left').map(node => node.name)
  const guess = nearest(name, names)
  throw new Failure(
    'E_NOT_FOUND',
    {
      message: `there is no node "${name}"`,
      why: names.length === 0 ? 'the cluster has no nodes yet' : `the cluster has ${listed(names)}`,
      try: guess === null ? 'tutti nodes' : `did you mean "${guess}"?`,
    },
    { facts: { node: name, ...(guess === null ? {} : { guess }) } },
  )
}

/** A node's name, or the end of its id while the log does not know it. */
export const nameOfNode = (state: State, id: string): string =>
  state.nodes.get(id as NodeId)?.name ?? id.slice(-ID_CHARACTERS_SHOWN)

const NAMES_LISTED_MAX = 10

/** `ash, birch and 3 more` */
export const listed = (names: readonly string[]): string => {
  const rest = names.length - NAMES_LISTED_MAX
  const shown = names.slice(0, NAMES_LISTED_MAX).join(', ')
  return rest > 0 ? `${shown} and ${rest} more` : shown
}
