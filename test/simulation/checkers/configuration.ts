/**
 * The membership changes one safe step at a time: each configuration has its quorums in common with the one before it, which
 * is committed by then; whoever proposes it has committed something in its own term (thesis §4; raft-dev, July 2015); and what
 * a node goes by is what its log says.
 */
import type { Configuration, Entry } from '../../../raft/index.ts'
import type { Machine } from '../machine.ts'
import type { Check } from './checker.ts'
import { configurationOn, isOnQuorum } from './holdings.ts'
import type { View } from './view.ts'

type ConfigurationEntry = Extract<Entry, { type: 'configuration' }>

export const configuration: Check = fail => {
  let world: View | null = null
  const judged = new Set<string>()

  /** `log`: all before it that this disk has or is given. */
  const judge = (entry: ConfigurationEntry, log: readonly Entry[]): void => {
    const before = log.findLast((one): one is ConfigurationEntry => one.type === 'configuration')
    if (before === undefined || world === null) return
    const { machines } = world
    const what = `${describe(entry.configuration)} at entry ${entry.index} of term ${entry.term}`
    if (!isSafeStep(before.configuration, entry.configuration))
      return fail(
        `${what} follows ${describe(before.configuration)}: their quorums may have no node in common`,
      )
    if (!isOnQuorum(machines, before.configuration, before))
      return fail(`${what} was proposed while that of entry ${before.index} was not committed`)
    const first = log.find(one => one.term === entry.term) ?? entry
    if (!isOnQuorum(machines, before.configuration, first))
      fail(`${what} was proposed by a leader that had committed nothing in its term`)
  }

  const agrees = (machine: Machine): void => {
    if (!machine.disk.isIdle()) return
    const written = configurationOn(machine)?.voters ?? []
    const voters = machine.node?.consensus.status().voters ?? written
    if (!isSame(voters, written))
      fail(`${machine.id} goes by the voters ${voters.join(' ')}; its log says ${written.join(' ')}`)
  }

  return {
    name: 'configuration',
    begin(view) {
      world = view
    },
    writing({ machine, writes }) {
      for (const [position, write] of writes.entries())
        for (const entry of write.entries) {
          const key = `${entry.index} ${entry.term}`
          if (entry.type !== 'configuration' || judged.has(key)) continue
          judged.add(key)
          const given = writes.slice(0, position + 1).flatMap(one => one.entries)
          const stored = machine.disk.durable()?.entries ?? []
          judge(entry, inForce([...stored, ...given], entry.index))
        }
    },
    applied: ({ machine }) => agrees(machine),
    atEnd({ machines }) {
      for (const machine of machines) agrees(machine)
    },
  }
}

/** The last entry of each index up to `end`: what came later took the place of what was there. */
const inForce = (entries: readonly Entry[], end: number): readonly Entry[] => {
  const byIndex = new Map<number, Entry>()
  for (const entry of entries) if (entry.index < end) byIndex.set(entry.index, entry)
  return [...byIndex.values()].sort((a, b) => a.index - b.index)
}

const isSafeStep = (from: Configuration, to: Configuration): boolean => {
  if (from.votersOutgoing.length > 0) return to.votersOutgoing.length === 0 && isSame(to.voters, from.voters)
  if (to.votersOutgoing.length > 0) return isSame(to.votersOutgoing, from.voters)
  const gone = from.voters.filter(id => !to.voters.includes(id))
  const come = to.voters.filter(id => !from.voters.includes(id))
  return gone.length + come.length <= 1
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  [...one].sort().join() === [...other].sort().join()

const describe = ({ voters, votersOutgoing }: Configuration): string =>
  [...voters, ...(votersOutgoing.length > 0 ? ['outgoing', ...votersOutgoing] : [])].join(' ')
