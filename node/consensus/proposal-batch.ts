/**
 * Proposals that wait to leave together: one fsync here and one at each peer, one message there and one back. The raft
 * actor owns one for each core.
 */
import type { Input, Ready } from '../../raft/index.ts'

/**
 * How long proposals wait at most for those before them to be committed. Under load each round of write, send and
 * acknowledge carries all that came during the last one; where a round takes long, for peers are far away, several are
 * under way.
 */
export const GATHER_MS_MAX = 5

type Proposal = Extract<Input, { type: 'propose' }>['proposals'][number]

export class ProposalBatch {
  readonly #bytesMax: number
  #waiting: Proposal[] = []
  #bytes = 0
  /** The last entry that left in a batch, and the last one that is known to be committed. */
  #proposedIndex = 0
  #committedIndex = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** There is nothing to be gained by waiting for more. */
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** What left before is not committed yet. */
  get isUnderWay(): boolean {
    return this.#proposedIndex > this.#committedIndex
  }

  add(proposal: Proposal): void {
    this.#waiting.push(proposal)
    this.#bytes += proposal.data.byteLength
  }

  take(): readonly Proposal[] {
    const taken = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    return taken
  }

  /** Of an entry that a leader loses nobody hears again; the next ones that are committed make up for it. */
  note({ proposals, apply }: Ready): void {
    for (const result of proposals) if (result.type === 'accepted') this.#proposedIndex = result.index
    this.#committedIndex = apply.at(-1)?.index ?? this.#committedIndex
  }
}
