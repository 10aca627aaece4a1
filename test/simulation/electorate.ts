/** A stage whose voters are watched: who votes, how often that changed, whether writes are accepted. For plays about the quorum. */
import { Failure } from '../../node/errors.ts'
import type { Command } from '../../scheduler/index.ts'
import type { Check } from './checkers/checker.ts'
import type { Machine } from './machine.ts'
import { Stage } from './stage.ts'
import { zoneOf } from './writes.ts'

/** Within which a cluster that can decide must have done so: an election and a retry. */
const ACCEPTED_WITHIN_MS = 5_000
/** A loss is noticed within one second and settled five later; an exchange follows another at once. */
const REST_MS = 8_000
/** What a node says that cannot decide. */
const UNDECIDED: ReadonlySet<string> = new Set(['E_NO_QUORUM', 'E_NO_LEADER', 'E_TIMEOUT'])

export class Electorate {
  readonly stage: Stage
  /** The voters of each committed configuration that is not joint and differs from the one before. */
  readonly history: (readonly string[])[]
  /** The terms in which somebody came to lead. */
  readonly reigns: number[]
  #writeCount = 0

  private constructor(stage: Stage, { history, reigns }: Pick<Electorate, 'history' | 'reigns'>) {
    this.stage = stage
    this.history = history
    this.reigns = reigns
  }

  /** `absent`: positions of machines that do not take part. */
  static async raise(
    machineCount: number,
    seed: number,
    absent: readonly number[] = [],
  ): Promise<Electorate> {
    const history: (readonly string[])[] = []
    const reigns: number[] = []
    const watch: Check = () => ({
      name: 'electorate',
      elected: (_, term) => void reigns.push(term),
      committed({ entry }) {
        if (entry.type !== 'configuration' || entry.configuration.votersOutgoing.length > 0) return
        const voters = [...entry.configuration.voters].sort()
        if (String(voters) !== String(history.at(-1))) history.push(voters)
      },
    })
    const stage = await Stage.raise(machineCount, absent, { seed, checks: [watch] })
    const electorate = new Electorate(stage, { history, reigns })
    await electorate.rested()
    return electorate
  }

  /** As last committed: nobody who leads need be there. */
  get voters(): readonly Machine[] {
    return (this.history.at(-1) ?? []).map(id => this.stage.machine(id))
  }

  get alive(): readonly Machine[] {
    return this.stage.world.machines.filter(machine => machine.program !== null)
  }

  /** The living are a majority of the voters. */
  get hasMajority(): boolean {
    const { voters } = this
    return 2 * voters.filter(voter => voter.program !== null).length > voters.length
  }

  /** The voters have not changed for as long as it takes to find a reason. */
  async rested(): Promise<void> {
    for (let before = -1; before !== this.history.length; ) {
      before = this.history.length
      await this.stage.pass(REST_MS)
    }
  }

  /** How many voters each zone has, largest first. */
  get spread(): string {
    const counts = new Map<string, number>()
    for (const { position } of this.voters)
      counts.set(zoneOf(position), (counts.get(zoneOf(position)) ?? 0) + 1)
    return [...counts.values()].sort((left, right) => right - left).join()
  }

  /** A write sent to any living node until it is accepted. Virtual milliseconds, or null when it was not. */
  async write(): Promise<number | null> {
    const { world } = this.stage
    const sinceMs = world.timeline.nowMs()
    const command = { ...this.#command(), atMs: sinceMs } as Command
    const outcome = await this.stage.answer(world.customer.write(command, `write-${++this.#writeCount}`))
    const tookMs = world.timeline.nowMs() - sinceMs
    return outcome?.ok === true && tookMs <= ACCEPTED_WITHIN_MS ? tookMs : null
  }

  /** Whether each living node says that it cannot decide. */
  async refuses(): Promise<boolean> {
    const answers = await Promise.all(
      this.alive
        .filter(machine => machine.node !== null)
        .map(machine => {
          const write = this.stage.submit(machine, this.#command())
          return this.stage.answer(write.catch((thrown: unknown) => thrown))
        }),
    )
    return answers.every(answer => answer instanceof Failure && UNDECIDED.has(answer.code))
  }

  #command(): Command {
    return { type: 'node/Activate', atMs: 0, id: this.stage.machine('node-1').id }
  }
}
