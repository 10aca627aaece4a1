/**
 * Proposals that wait to leave together: one fsync here and one at each peer, one message there and one back. The raft
 * actor owns one for each core.
 */
import type { Input, Ready } from '../../raft/index.ts'

/**
 * How long proposals wait at most: for those before them to be committed, then for company. Under load each round of
 * write, send and acknowledge carries all that came during the last one; where a round takes long, for peers are far
 * away, several are under way.
 */
export const GATHER_MS_MAX = 5
/**
 * Whoever was just answered is likely to write again at once. A round leaves when this share of those who write is back, for
 * its costs are the same with half of them, and the next round would have to follow for the others.
 */
const CROWD_SHARE = 0.9

type Proposal = Extract<Input, { type: 'propose' }>['proposals'][number]

export class ProposalBatch {
  readonly #bytesMax: number
  #waiting: Proposal[] = []
  #bytes = 0
  /** The last entry that left in a batch, and the last one that is known to be committed. */
  #proposedIndex = 0
  #committedIndex = 0
  /** Proposals in the batches that are under way. */
  #leftCount = 0
  /** How many write at once, as far as it showed when the last batch was committed. */
  #crowd = 0
  #isResting = false

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

  /** Everything before it is committed, and who writes has written again. A lone writer is the whole crowd. */
  get isComplete(): boolean {
    return !this.isUnderWay && this.#waiting.length >= this.#crowd * CROWD_SHARE
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
    this.#leftCount += taken.length
    this.#isResting = false
    return taken
  }

  /** Of an entry that a leader loses nobody hears again; the next ones that are committed make up for it. */
  note({ proposals, apply }: Ready): void {
    for (const result of proposals) if (result.type === 'accepted') this.#proposedIndex = result.index
    const wasUnderWay = this.isUnderWay
    this.#committedIndex = apply.at(-1)?.index ?? this.#committedIndex
    if (wasUnderWay && !this.isUnderWay) this.#count()
  }

  /** From one tick to the next nobody wrote: whoever comes now is not kept waiting for those who went away. */
  tick(): void {
    if (this.#isResting) this.#crowd = 0
    this.#isResting = this.isEmpty && !this.isUnderWay
  }

  /** Those that are answered now, and those who came meanwhile. When fewer come, that shows within a few rounds. */
  #count(): void {
    this.#crowd = Math.max(this.#leftCount + this.#waiting.length, this.#crowd / 2)
    this.#leftCount = 0
  }
}
