/** A member that says of the others that they are gone, in its own name and beside what its own sound program says. */
import type { Rumor } from '../../../gossip/index.ts'
import type { Prng } from '../../harness/prng.ts'
import type { World } from '../world.ts'

const LIE_EVERY_MS = 100
const LINE_MS_MAX = 40

/** One of them lies from now on, for so long. The lines are long meanwhile: a refutation takes its time. */
export const lie = (world: World, dice: Prng, forMs: number): void => {
  const { timeline, machines } = world
  const liar = dice.pick(machines)
  const endMs = timeline.nowMs() + forMs
  const shorten = world.weather.storm({ dropRate: 0, duplicateRate: 0, delayMsMax: LINE_MS_MAX })
  timeline.plan(forMs, shorten)
  world.trace.tell('fault', `${liar.name} lies about the others`)
  const beat = (): void => {
    const others = machines.filter(machine => machine !== liar)
    const { program } = liar
    if (program?.node == null || others.length === 0 || timeline.nowMs() >= endMs) return
    const victim = dice.pick(others)
    const truth = program.node.members().find(({ id }) => id === victim.id)
    if (truth !== undefined) {
      const state = dice.pick(['suspect', 'dead'] as const)
      const rumor: Rumor = { member: { ...truth, state }, by: liar.id, isRefused: dice.chance(0.5) }
      // Behind its back, most of the time: it refutes what it hears.
      if (dice.chance(0.2)) program.transport.publish('rumors', rumor)
      for (const { id } of others)
        if (id !== victim.id) program.transport.send(id, 'swim', { type: 'gossip', rumors: [rumor] })
    }
    timeline.plan(LIE_EVERY_MS, beat)
  }
  beat()
}
