/** Who waits for an answer of the core: proposals, reads, a change of membership, a hand-over. The raft actor owns one. */
import type { Configuration, Fact, ProposalResult, ReadResult, RoleChange } from '../../raft/index.ts'
import type { PeerId } from './consensus.ts'
import type { ConfigureReply, ProposeReply, ReadReply, ReplyTo, TransferReply } from './raft-protocol.ts'

export type Target = { readonly voters: readonly PeerId[]; readonly learners: readonly PeerId[] }

export class Answers {
  #keyCount = 0
  readonly #proposals = new Map<string, ReplyTo<ProposeReply>>()
  readonly #reads = new Map<string, ReplyTo<ReadReply>>()
  #configuring: { readonly target: Target; readonly replyTo: ReplyTo<ConfigureReply> } | null = null
  #transferring: ReplyTo<TransferReply>[] = []

  proposal(replyTo: ReplyTo<ProposeReply>): string {
    const key = `proposal-${++this.#keyCount}`
    this.#proposals.set(key, replyTo)
    return key
  }

  read(replyTo: ReplyTo<ReadReply>): string {
    const key = `read-${++this.#keyCount}`
    this.#reads.set(key, replyTo)
    return key
  }

  /** Null while another change waits. Acceptance is not yet an answer: the change must be committed and its joint phase over. */
  configuring(target: Target, replyTo: ReplyTo<ConfigureReply>): string | null {
    if (this.#configuring !== null) return null
    const waiting = { target, replyTo }
    this.#configuring = waiting
    return this.proposal(reply => {
      if (reply.type === 'accepted' || this.#configuring !== waiting) return
      this.#configuring = null
      replyTo(reply)
    })
  }

  transferring(replyTo: ReplyTo<TransferReply>): void {
    this.#transferring.push(replyTo)
  }

  settle(proposals: readonly ProposalResult[], reads: readonly ReadResult[]): void {
    for (const result of proposals) {
      const replyTo = this.#proposals.get(result.key)
      this.#proposals.delete(result.key)
      replyTo?.(proposeReply(result))
    }
    for (const result of reads) {
      const replyTo = this.#reads.get(result.key)
      this.#reads.delete(result.key)
      replyTo?.(result)
    }
  }

  note(fact: Fact): void {
    switch (fact.type) {
      case 'configurationCommitted':
        if (this.#configuring !== null && isReached(this.#configuring.target, fact.configuration))
          this.#configured({ type: 'done' })
        return
      case 'becameFollower':
        this.#transferred({ type: 'done' })
        return this.#configured({ type: 'refused', reason: 'notLeader', detail: 'this node leads no more' })
      case 'transferAborted':
        return this.#transferred({ type: 'aborted', reason: fact.reason })
      default:
        return
    }
  }

  /** The core is gone; nobody will answer any more. */
  abandon(detail: string): void {
    const refused = { type: 'refused', reason: 'notLeader', detail } as const
    for (const replyTo of this.#proposals.values()) replyTo(refused)
    for (const replyTo of this.#reads.values()) replyTo({ type: 'refused', reason: 'noLeader' })
    this.#proposals.clear()
    this.#reads.clear()
    this.#configured(refused)
    this.#transferred({ type: 'done' })
  }

  #configured(reply: ConfigureReply): void {
    const waiting = this.#configuring
    this.#configuring = null
    waiting?.replyTo(reply)
  }

  #transferred(reply: TransferReply): void {
    const waiting = this.#transferring
    this.#transferring = []
    for (const replyTo of waiting) replyTo(reply)
  }
}

const proposeReply = (result: ProposalResult): ProposeReply => {
  if (result.type === 'accepted') return { type: 'accepted', index: result.index, term: result.term }
  const { refusal } = result
  const detail = refusal.reason === 'invalid' ? refusal.detail : ''
  return { type: 'refused', reason: refusal.reason, detail }
}

const isSameSet = (left: readonly PeerId[], right: readonly PeerId[]): boolean =>
  left.length === right.length && left.every(id => right.includes(id))

export const isReached = (target: Target, configuration: Configuration): boolean =>
  configuration.votersOutgoing.length === 0 &&
  isSameSet(target.voters, configuration.voters) &&
  isSameSet(target.learners, configuration.learners)

/** What turns `from` into `target`, in the order of the ids. */
export const roleChanges = (from: Configuration, target: Target): readonly RoleChange[] => {
  const known = new Set([...from.voters, ...from.learners, ...target.voters, ...target.learners])
  const roleIn = (lists: Target): RoleChange['role'] =>
    lists.voters.includes(node) ? 'voter' : lists.learners.includes(node) ? 'learner' : 'removed'
  let node = ''
  const changes: RoleChange[] = []
  for (node of [...known].sort())
    if (roleIn(from) !== roleIn(target)) changes.push({ node, role: roleIn(target) })
  return changes
}
