/**
 * A customer of the simulated cluster: sends writes to any node that runs, repeats them under the same request id when no
 * answer comes, remembers what was acknowledged, and now and then asks for a read point.
 */
import { Failure } from '../../node/errors.ts'
import type { Command, Outcome } from '../../scheduler/index.ts'
import type { Prng } from '../harness/prng.ts'
import type { Acknowledged } from './checkers/checker.ts'
import type { Machine } from './machine.ts'
import type { Scene } from './scene.ts'
import { drawCommand } from './writes.ts'

type Write = { readonly requestId: string; readonly command: Command; attempts: number; isDone: boolean }

const ATTEMPTS_MAX = 8
const TIMEOUT_MS = 2_500
/** A program that was killed answers nothing: the customer gives up on it by itself. */
const PATIENCE_MS = 3_000
const RETRY_MS = 200
/** The same write is sent to a second node although the first may still answer. */
const IMPATIENT_RATE = 0.1

export class Customer {
  readonly #world: Scene
  readonly #dice: Prng
  #writeCount = 0
  #isOpen = true
  /** Writes without an answer. */
  waitingCount = 0
  acknowledgedCount = 0
  #acknowledgedIndex = 0

  constructor(world: Scene, dice: Prng) {
    this.#world = world
    this.#dice = dice
  }

  /** Writes at random times from now on, until `close`. */
  open(paceMs: number): void {
    const next = (): void => {
      if (!this.#isOpen) return
      if (this.#dice.chance(0.2)) this.ask(this.#pickNode())
      else this.#draw()
      this.#world.timeline.plan(this.#dice.between(1, 2 * paceMs), next)
    }
    next()
  }

  close(): void {
    this.#isOpen = false
  }

  /** Many writes at once, all to one node at first. */
  press(machine: Machine, count: number): void {
    for (let left = count; left > 0 && this.#isOpen; left--) this.#draw(machine)
  }

  /** Sees one write through; null when it was given up. `first`: who is asked first. */
  write(
    command: Command,
    requestId = `request-${++this.#writeCount}`,
    first?: Machine,
  ): Promise<Outcome | null> {
    const write: Write = { requestId, command, attempts: 0, isDone: false }
    this.waitingCount++
    return new Promise(resolve => {
      const settle = (outcome: Outcome | null): void => {
        if (write.isDone) return
        write.isDone = true
        this.waitingCount--
        resolve(outcome)
      }
      this.#attempt(write, settle, first)
    })
  }

  #draw(first?: Machine): void {
    const { machines } = this.#world
    const clock = this.#dice.pick(machines).clock
    const nodeIds = machines.map(machine => machine.id)
    void this.write(drawCommand(this.#dice, clock.wallMs(), nodeIds), undefined, first)
  }

  #attempt(write: Write, settle: (outcome: Outcome | null) => void, first?: Machine): void {
    if (write.isDone) return
    if (write.attempts++ >= ATTEMPTS_MAX) return settle(null)
    const { timeline } = this.#world
    const again = (): void => void timeline.plan(RETRY_MS, () => this.#attempt(write, settle))
    const machine = first ?? this.#pickNode()
    if (machine?.node == null) return again()
    let isOver = false
    const once = (act: () => void) => () => {
      if (isOver) return
      isOver = true
      cancel()
      act()
    }
    const cancel = timeline.plan(PATIENCE_MS, once(again))
    if (this.#dice.chance(IMPATIENT_RATE)) timeline.plan(RETRY_MS, () => this.#attempt(write, settle))
    const { requestId, command } = write
    machine.node.consensus.submit(command, { requestId, timeoutMs: TIMEOUT_MS }).then(
      outcome => {
        const atMs = timeline.nowMs()
        const stateIndex = machine.node?.consensus.state().index ?? outcome.index
        this.#acknowledge(machine, { machine, stateIndex, requestId, command, outcome, atMs })
        once(() => settle(outcome))()
      },
      thrown => {
        if (!(thrown instanceof Failure) || !EXPECTED.has(thrown.code))
          this.#world.fail('customer', `${machine.id} answered ${command.type} with ${String(thrown)}`)
        once(again)()
      },
    )
  }

  #acknowledge(machine: Machine, write: Acknowledged): void {
    this.acknowledgedCount++
    this.#acknowledgedIndex = Math.max(this.#acknowledgedIndex, write.outcome.index)
    const verdict = write.outcome.ok ? 'done' : `refused: ${write.outcome.refusal.code}`
    this.#world.trace.tell(
      machine.name,
      `acknowledges ${write.requestId} ${write.command.type} at entry ${write.outcome.index}, ${verdict}`,
    )
    this.#world.notify(checker => checker.acknowledged?.(write))
  }

  /** A read point of this node. */
  ask(machine: Machine | null): void {
    if (machine?.node == null) return
    const coveredIndex = this.#acknowledgedIndex
    const { program } = machine
    machine.node.consensus.barrier({ timeoutMs: TIMEOUT_MS }).then(
      index => {
        if (machine.program !== program) return
        this.#world.trace.mark(`${machine.name} read ${index}`)
        const stateIndex = machine.node?.consensus.state().index ?? index
        this.#world.notify(checker => checker.read?.({ machine, index, coveredIndex, stateIndex }))
      },
      thrown => {
        if (!(thrown instanceof Failure) || !EXPECTED.has(thrown.code))
          this.#world.fail('customer', `${machine.id} answered a read with ${String(thrown)}`)
      },
    )
  }

  #pickNode(): Machine | null {
    const running = this.#world.machines.filter(machine => machine.node !== null)
    return running.length === 0 ? null : this.#dice.pick(running)
  }
}

/** What a node may answer when something around it is broken. */
export const EXPECTED: ReadonlySet<string> = new Set([
  'E_TIMEOUT',
  'E_NO_QUORUM',
  'E_NO_LEADER',
  'E_UNREACHABLE',
  'E_BUSY',
  'E_DISK_FULL',
])
