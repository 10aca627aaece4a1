// The algebra of memberships: configuration in, configuration out. When a change is allowed is the leader's matter.
import type { RoleChange } from './input.ts'
import type { Configuration, Epoch, NodeId } from './saved.ts'

export const isJoint = (configuration: Configuration): boolean => configuration.votersOutgoing.length > 0

/** A voter of either half counts as a voter. */
export const isVoter = (configuration: Configuration, node: NodeId): boolean =>
  configuration.voters.includes(node) || configuration.votersOutgoing.includes(node)

export const isMember = (configuration: Configuration, node: NodeId): boolean =>
  isVoter(configuration, node) || configuration.learners.includes(node)

/** Everybody who receives the log, sorted, each once. */
export const membersOf = (configuration: Configuration): NodeId[] =>
  sorted(
    new Set([...configuration.voters, ...configuration.votersOutgoing, ...configuration.learners]).values(),
  )

/** Everybody whose vote may count, sorted, each once. */
export const votersOf = (configuration: Configuration): NodeId[] =>
  sorted(new Set([...configuration.voters, ...configuration.votersOutgoing]).values())

const firstEpoch: Epoch = { number: 0, mark: '' }

export const epochOf = (configuration: Configuration | undefined): Epoch => configuration?.epoch ?? firstEpoch

/**
 * How another epoch stands to ours. `rival`: the same cluster was founded anew twice, neither knowing of the other.
 */
export const compareEpochs = (theirs: Epoch, ours: Epoch): 'same' | 'newer' | 'older' | 'rival' => {
  if (theirs.number !== ours.number) return theirs.number > ours.number ? 'newer' : 'older'
  return theirs.mark === ours.mark ? 'same' : 'rival'
}

/** Whether a value from outside has the shape of the epoch of a recovered cluster. */
export const isEpoch = (value: unknown): value is Epoch => {
  if (typeof value !== 'object' || value === null) return false
  const { number, mark } = value as Record<string, unknown>
  return Number.isSafeInteger(number) && (number as number) > 0 && typeof mark === 'string' && mark !== ''
}

/** The part of a configuration that outlives every change of membership. */
const lasting = ({ epoch }: Configuration): Pick<Configuration, 'epoch'> =>
  epoch === undefined ? {} : { epoch }

export type ChangeResult =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly detail: string }

/**
 * The configuration that follows `current` (which must not be joint). At most one voter more or less leads there
 * directly, since any two majorities then overlap (thesis §4.1); everything else passes through a joint phase.
 */
export const changeConfiguration = (
  current: Configuration,
  changes: readonly RoleChange[],
  autoLeave: boolean,
): ChangeResult => {
  if (isJoint(current)) return { ok: false, detail: 'the configuration is joint' }
  if (new Set(changes.map(change => change.node)).size !== changes.length)
    return { ok: false, detail: 'a node is named twice' }
  if (changes.some(change => change.node === '')) return { ok: false, detail: 'a node has an empty name' }

  const voters = new Set(current.voters)
  const learners = new Set(current.learners)
  for (const { node, role } of changes) {
    voters.delete(node)
    learners.delete(node)
    if (role === 'voter') voters.add(node)
    if (role === 'learner') learners.add(node)
  }
  if (voters.size === 0) return { ok: false, detail: 'no voter would be left' }

  const next = {
    ...lasting(current),
    voters: sorted(voters.values()),
    learners: sorted(learners.values()),
  }
  if (sameList(next.voters, current.voters) && sameList(next.learners, current.learners))
    return { ok: false, detail: 'the change changes nothing' }
  if (differenceCount(next.voters, current.voters) <= 1)
    return { ok: true, configuration: { ...next, votersOutgoing: [], autoLeave: false } }
  return { ok: true, configuration: { ...next, votersOutgoing: current.voters, autoLeave } }
}

/** The configuration that ends the joint phase of `current`. */
export const leaveJoint = (current: Configuration): Configuration => ({
  ...lasting(current),
  voters: current.voters,
  votersOutgoing: [],
  learners: current.learners,
  autoLeave: false,
})

/** Whether a value from outside has the shape that every configuration made here has. */
export const isConfiguration = (value: unknown): value is Configuration => {
  if (typeof value !== 'object' || value === null) return false
  const { voters, votersOutgoing, learners, autoLeave, epoch } = value as Record<string, unknown>
  return (
    isSortedList(voters) &&
    isSortedList(votersOutgoing) &&
    isSortedList(learners) &&
    typeof autoLeave === 'boolean' &&
    (epoch === undefined || isEpoch(epoch))
  )
}

const isSortedList = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (node, position) =>
      typeof node === 'string' && node !== '' && (position === 0 || value[position - 1] < node),
  )

const sorted = (nodes: Iterable<NodeId>): NodeId[] => [...nodes].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

const sameList = (a: readonly NodeId[], b: readonly NodeId[]): boolean =>
  a.length === b.length && a.every((node, position) => node === b[position])

const differenceCount = (a: readonly NodeId[], b: readonly NodeId[]): number =>
  a.filter(node => !b.includes(node)).length + b.filter(node => !a.includes(node)).length
