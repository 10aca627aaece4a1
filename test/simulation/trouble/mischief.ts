/** Carries out a fault plan on a world: begins each fault at its time and ends it again. */

import type { Machine } from '../machine.ts'
import type { World } from '../world.ts'
import type { Fault, Moment, Target } from './faults.ts'
import { describeFault } from './faults.ts'

/** Between two looks for a leader that has outlived its grace. */
const BEAT_MS_MAX = 1_500

/** How often, and for how long, a leader of the past is asked for reads. */
const OLD_LEADER_READS = 4
const OLD_LEADER_MS = 400

type Strike = Fault & { readonly type: 'strike' }
type Hunt = Fault & { readonly type: 'hunt' }

export type Mischief = {
  /** A moment that strikes wait for has come on this machine. */
  moment(moment: Moment, machine: Machine): void
  /** Ends everything that still goes wrong and brings every machine back. */
  quiet(): void
}

export const createMischief = (world: World, faults: readonly Fault[]): Mischief => {
  const { timeline, trace, weather } = world
  /** Strikes that wait for their moment. */
  const armed = new Set<Strike>()

  /** Leaders may not rest. */
  const hunts = new Set<Hunt>()
  const regroups = new Set<Fault>()
  let isQuiet = false

  const fell = (machine: Machine, awayMsMax: number): void => {
    const { program } = machine
    if (isQuiet || program === null) return
    const awayMs = world.dice.between(20, awayMsMax)
    trace.tell('fault', `hunts ${machine.name} down for ${awayMs} ms`)
    const way = world.dice.pick(['kill', 'power', 'cut off', 'freeze'] as const)
    if (way === 'freeze') {
      timeline.plan(awayMs, freeze(machine, world.dice.chance(0.5)))
      return
    }
    if (way === 'cut off') {
      const heal = weather.part({ group: new Set([machine.id]), isOneWay: false })
      timeline.plan(awayMs, heal)
      return
    }
    if (way === 'kill') world.kill(machine)
    else world.cutPower(machine)
    timeline.plan(awayMs, () => comeBack(machine))
  }

  /** A short reign over a few. */
  const hunt = (machine: Machine, { graceMs, reachRate, awayMsMax, writesMax }: Hunt): void => {
    const others = world.machines.filter(other => other !== machine && !world.dice.chance(reachRate))
    const heal = weather.sever(
      machine.id,
      others.map(({ id }) => id),
    )
    world.customer.press(machine, world.dice.between(0, writesMax))
    timeline.plan(world.dice.random() * graceMs, () => {
      fell(machine, awayMsMax)
      heal()
    })
  }

  /** Any voters out of those that the leader knows. It may refuse, and mostly does. */
  /** Nobody that has not started yet: the keeper gives no vote to a node that has never answered. */
  const regroup = (machine: Machine): void => {
    const consensus = machine.node?.consensus
    if (consensus === undefined) return
    const { voters, learners } = consensus.status()
    const hasStarted = (id: string): boolean =>
      world.machines.some(other => other.id === id && other.isMember)
    const known = world.dice.shuffle([...voters, ...learners].filter(hasStarted))
    const count = world.dice.between(1, known.length)
    const others = learners.filter(id => !hasStarted(id))
    const target = { voters: known.slice(0, count), learners: [...known.slice(count), ...others] }
    trace.tell('fault', `wants ${target.voters.join(' ')} to vote`)
    consensus.changeConfiguration(target).catch(() => undefined)
  }

  /** Whoever led before may still believe so, and is asked what it knows while the new leader takes writes. */
  const askOthers = (elected: Machine): void => {
    for (const machine of world.machines) {
      if (machine === elected || machine.node?.consensus.status().role !== 'leader') continue
      for (let count = 0; count < OLD_LEADER_READS; count++)
        timeline.plan(world.dice.between(1, OLD_LEADER_MS), () => world.customer.ask(machine))
    }
  }

  const targetOf = (target: Target): Machine | null =>
    target === 'leader' ? world.leader() : (world.machines[target] ?? null)

  const comeBack = (machine: Machine): void => {
    machine.hasPower = true
    weather.setPower(machine.id, true)
    if (machine.isMember) world.start(machine)
  }

  const freeze = (machine: Machine, isSuspended: boolean): (() => void) => {
    if (machine.program === null || machine.isPaused) return () => undefined
    const heal = isSuspended
      ? weather.part({ group: new Set([machine.id]), isOneWay: false })
      : () => undefined
    machine.isPaused = true
    machine.clock.pause()
    weather.setFrozen(machine.id, true)
    return () => {
      heal()
      thaw(machine)
    }
  }

  const thaw = (machine: Machine): void => {
    if (!machine.isPaused) return
    // A client's question waits at its socket, and whatever others know by now is to be in the answer.
    world.customer.ask(machine)
    machine.isPaused = false
    machine.clock.resume()
    weather.setFrozen(machine.id, false)
  }

  const on = (target: Target, act: (machine: Machine) => () => void): (() => void) => {
    const machine = targetOf(target)
    return machine === null ? () => undefined : act(machine)
  }

  /** Begins it and returns what ends it. */
  const begin = (fault: Fault): (() => void) => {
    switch (fault.type) {
      case 'kill':
        return on(fault.machine, machine => {
          world.kill(machine)
          return () => machine.hasPower && comeBack(machine)
        })
      case 'power':
        return on(fault.machine, machine => {
          world.cutPower(machine)
          return () => comeBack(machine)
        })
      case 'blackout': {
        const struck = fault.group.flatMap(position => world.machines[position] ?? [])
        for (const machine of struck) world.cutPower(machine)
        for (const machine of struck)
          timeline.plan(world.dice.between(1, fault.forMs), () => comeBack(machine))
        return () => undefined
      }
      case 'stop':
        return on(fault.machine, machine => {
          world.stop(machine)
          return () => machine.hasPower && comeBack(machine)
        })
      case 'pause':
        return on(fault.machine, machine => freeze(machine, fault.isSuspended))
      case 'strike':
        armed.add(fault)
        return () => armed.delete(fault)
      case 'hunt': {
        hunts.add(fault)
        const beat = (): void => {
          if (!hunts.has(fault)) return
          const leader = world.leader()
          if (leader !== null) hunt(leader, fault)
          timeline.plan(world.dice.between(1, BEAT_MS_MAX), beat)
        }
        beat()
        return () => hunts.delete(fault)
      }
      case 'regroup': {
        regroups.add(fault)
        const beat = (): void => {
          if (!regroups.has(fault)) return
          for (const machine of world.machines)
            if (machine.node?.consensus.status().role === 'leader') regroup(machine)
          timeline.plan(world.dice.between(1, 2 * fault.paceMs), beat)
        }
        beat()
        return () => regroups.delete(fault)
      }
      case 'partition': {
        const leader = fault.withLeader ? world.leader() : null
        const group = new Set(fault.group.map(position => world.machines[position]?.id ?? ''))
        if (leader !== null) group.add(leader.id)
        return weather.part({ group, isOneWay: fault.isOneWay })
      }
      case 'network':
        return weather.storm(fault)
      case 'slow-disk':
        return on(fault.machine, machine => {
          machine.disk.setSlowness(machine.diskFactor * fault.factor)
          return () => machine.disk.setSlowness(machine.diskFactor)
        })
      case 'full-disk':
        return on(fault.machine, machine => {
          machine.disk.setFull(true)
          return () => machine.disk.setFull(false)
        })
      case 'skew':
        world.machines[fault.machine]?.clock.setSkew(fault.skewMs)
        return () => undefined
      case 'container':
        return on(fault.machine, machine => {
          const running = machine.host.containers().filter(({ state }) => state.state === 'running')
          if (running.length > 0) machine.host.kill(world.dice.pick(running).state.key, 137)
          return () => undefined
        })
      case 'engine':
        return on(fault.machine, machine => {
          machine.host.setAvailable(false)
          return () => machine.host.setAvailable(true)
        })
    }
  }

  for (const fault of faults) {
    timeline.plan(fault.atMs, () => {
      if (isQuiet) return
      trace.tell('fault', describeFault(fault))
      const end = begin(fault)
      timeline.plan(fault.forMs, () => {
        trace.tell('fault', `over: ${fault.type}`)
        end()
      })
    })
  }

  return {
    moment(moment, machine) {
      if (moment === 'election') askOthers(machine)
      if (moment === 'election' && regroups.size > 0) regroup(machine)
      const [first] = hunts
      if (moment === 'election' && first !== undefined) hunt(machine, first)
      const strike = [...armed].find(candidate => candidate.moment === moment)
      if (strike === undefined || !world.dice.chance(strike.rate)) return
      const { program } = machine
      const awayMs = world.dice.between(1, strike.awayMsMax)
      // After the present event: what the machine does in this very turn has happened.
      timeline.plan(0, () => {
        if (machine.program !== program || isQuiet) return
        trace.tell('fault', `strikes ${machine.name} at its ${moment}, for ${awayMs} ms`)
        if (strike.isPowerCut) world.cutPower(machine)
        else world.kill(machine)
        timeline.plan(awayMs, () => comeBack(machine))
      })
    },
    quiet() {
      isQuiet = true
      armed.clear()
      hunts.clear()
      regroups.clear()
      weather.clear()
      for (const machine of world.machines) {
        machine.disk.setSlowness(machine.diskFactor)
        machine.disk.setFull(false)
        machine.host.setAvailable(true)
        if (machine.isPaused) thaw(machine)
        comeBack(machine)
      }
    },
  }
}
