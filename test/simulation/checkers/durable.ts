/**
 * What is committed is on the disks of a quorum, and never cut off where it is; what is applied is on the own disk; and a
 * leader takes no commit back.
 */
import type { Configuration, Entry } from '../../../raft/index.ts'
import { emptyConfiguration, epochOf } from '../../../raft/index.ts'
import type { History } from '../history.ts'
import type { Machine } from '../machine.ts'
import type { Check } from './checker.ts'
import { configurationOn, holds, isOnQuorum, type Mark } from './holdings.ts'
import type { View } from './view.ts'

type ConfigurationEntry = Extract<Entry, { type: 'configuration' }>

export const durable =
  (history: History): Check =>
  fail => {
    let world: View | null = null
    /** As of the last committed entry. */
    let present: { readonly index: number; readonly configuration: Configuration } = {
      index: 0,
      configuration: emptyConfiguration,
    }
    /** That somebody was given to write: also when it came on no disk, a leader may have counted by it meanwhile. */
    const proposed = new Map<string, ConfigurationEntry>()
    const told = new Map<string, number>()
    /** What is committed and on a machine's disk up to here stays there. */
    const kept = new Map<Machine, number>()
    const keep = (machine: Machine, index: number): void => {
      const term = history.termAt(index)
      if (index > (kept.get(machine) ?? 0) && term !== undefined && holds(machine, { index, term }))
        kept.set(machine, index)
    }

    return {
      name: 'durable',
      begin(view) {
        world = view
      },
      committed({ entry }) {
        if (entry.type === 'configuration')
          present = { index: entry.index, configuration: entry.configuration }
        if (world === null) return
        const { machines } = world
        for (const machine of machines) keep(machine, entry.index)
        if (isOnQuorum(machines, present.configuration, entry)) return
        const newer = [...proposed.values()].filter(
          one => one.index > present.index && one.term >= entry.term,
        )
        if (newer.some(({ configuration }) => isOnQuorum(machines, configuration, entry))) return
        if (!isOnOtherQuorum(world, present.index, entry))
          fail(`entry ${entry.index} of term ${entry.term} was applied, and no quorum has it on disk`)
      },
      applied({ machine, state }) {
        const stored = machine.disk.durable()
        const last = stored?.entries.at(-1)?.index ?? stored?.snapshot?.index ?? 0
        if (Math.max(last, machine.disk.snapshotIndex()) < state.index)
          fail(`${machine.id} applied entry ${state.index}; its disk ends at ${last}`)
      },
      received({ machine, match }) {
        keep(machine, Math.min(match, history.state.index))
      },
      writing({ machine, writes }) {
        for (const entry of writes.flatMap(({ entries }) => entries))
          if (entry.type === 'configuration') proposed.set(`${entry.index} ${entry.term}`, entry)
        const index = kept.get(machine) ?? 0
        for (const { truncateFrom, snapshot } of writes) {
          // The cluster was recovered: what this machine holds of the former epoch gives way to the new one.
          if (snapshot !== null && isOfNewerEpoch(snapshot.configuration, machine))
            return void kept.delete(machine)
          if (truncateFrom !== null && truncateFrom <= index)
            fail(
              `${machine.id} cuts its log off at entry ${truncateFrom}; it holds entry ${index}, which is committed`,
            )
          if (snapshot !== null && snapshot.index < index)
            fail(
              `${machine.id} puts a snapshot of entry ${snapshot.index} in the place of its log; it holds entry ${index}, which is committed`,
            )
        }
      },
      sent({ machine, message }) {
        if (message.type !== 'append') return
        const key = `${machine.id} ${message.term}`
        const before = told.get(key) ?? 0
        if (message.commit < before)
          fail(
            `${machine.id} told in term ${message.term} that ${before} is committed, and then only ${message.commit}`,
          )
        told.set(key, message.commit)
      },
    }
  }

const isOfNewerEpoch = (configuration: Configuration, machine: Machine): boolean =>
  epochOf(configuration).number > epochOf(configurationOn(machine) ?? undefined).number

/** Its leader may have counted by a newer configuration, one that is on some disk or in a leader's memory. */
const isOnOtherQuorum = (world: View, presentIndex: number, mark: Mark): boolean =>
  world.machines.some(machine => {
    const newer = (machine.disk.durable()?.entries ?? []).filter(entry => entry.index > presentIndex)
    const isOnDisk = newer.some(
      entry => entry.type === 'configuration' && isOnQuorum(world.machines, entry.configuration, mark),
    )
    const status = machine.node?.consensus.status()
    const isInMemory =
      status?.role === 'leader' &&
      isOnQuorum(world.machines, { voters: status.voters, votersOutgoing: [] }, mark)
    return isOnDisk || isInMemory
  })
