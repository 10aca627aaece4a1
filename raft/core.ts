// The data of one node and the few verbs every role needs: send, state a fact, advance the commit index.
import assert from 'node:assert'
import type { Fact, Role } from './facts.ts'
import { entryBytes, Log } from './log.ts'
import { isVoter } from './membership.ts'
import type { Envelope, Message } from './message.ts'
import { checkOptions, type Options } from './options.ts'
import type { Progress } from './progress.ts'
import { emptyLease, emptyReads, type Lease, type Reads } from './reads/reads.ts'
import type { ProposalResult, ReadResult, Ready, SnapshotRead, SnapshotWrite } from './ready.ts'
import type { Child, Feed, Standing } from './relay/relay.ts'
import type { Configuration, Entry, HardState, NodeId, SavedState, SnapshotMetadata } from './saved.ts'
import type { SnapshotReceiver } from './snapshot.ts'
import { Writes } from './writes.ts'

/** What a step has gathered for its Ready so far. */
type Outbox = {
  sendNow: Envelope[]
  sendAfterPersist: Envelope[]
  install: SnapshotMetadata | null
  reads: ReadResult[]
  proposals: ProposalResult[]
  snapshotReads: SnapshotRead[]
  snapshotWrites: SnapshotWrite[]
  facts: Fact[]
}

const emptyOutbox = (): Outbox => ({
  sendNow: [],
  sendAfterPersist: [],
  install: null,
  reads: [],
  proposals: [],
  snapshotReads: [],
  snapshotWrites: [],
  facts: [],
})

/** Invariants: `handedIndex <= min(commitIndex, writes.persistedIndex)` except after an install; `appliedIndex <= handedIndex`. */
export class Core {
  readonly id: NodeId
  readonly options: Options
  readonly log: Log
  readonly writes: Writes
  outbox: Outbox = emptyOutbox()

  term: number
  vote: NodeId | null
  role: Role = 'follower'
  leader: NodeId | null = null
  commitIndex: number

  /** Since the last sign of a leader, the last granted vote, or the start of the present campaign. */
  electionTicks = 0
  electionTimeout = 0
  ticksSinceLeader = 0

  /** The newest round of the present term's leader that was heard of, from itself or through relays. */
  roundHeard = 0
  /** The greatest commit index that anybody named: what is committed there may not be here yet. */
  commitHeard = 0
  /** Since a leader said how much is committed and could know; infinite while none ever did. */
  ticksSinceCommitHeard = Number.POSITIVE_INFINITY
  /** The order to pull the log from others, as long as it is in force. */
  feed: Feed | null = null
  /** Who pulls the log from us. */
  readonly children = new Map<NodeId, Child>()

  /** Answers to the present campaign. */
  votes = new Map<NodeId, boolean>()
  /** How often the present pre-vote was asked again. */
  preVoteRepeats = 0
  isTransferCampaign = false
  /** The write that makes the candidate's vote for itself durable. */
  ownVoteSequence = 0

  /** Leader only: every member but itself. */
  peers = new Map<NodeId, Progress>()
  /** Leader only: those of `peers` that are not in `relay`, longest fed first. */
  readonly fed = new Map<NodeId, Progress>()
  heartbeatElapsed = 0
  uncommittedBytes = 0
  transferTarget: NodeId | null = null
  transferTicks = 0
  /** Leader only: peers that would rather not lead, as they said with their last answer. */
  readonly reluctantPeers = new Set<NodeId>()

  /** This node would rather not lead: whoever would gets the time to be elected first. */
  isReluctant = false

  readonly reads: Reads
  readonly lease: Lease
  /** The snapshot being received from the leader. */
  receiving: SnapshotReceiver | null = null

  /** Entries up to here were handed out in `apply`, and acknowledged up to `appliedIndex`. */
  handedIndex: number
  appliedIndex: number
  private applying: { lastIndex: number; bytes: number }[] = []
  private applyingBytes = 0
  private readonly random: () => number

  constructor(id: NodeId, saved: SavedState, options: Options, random: () => number) {
    checkOptions(options)
    assert(id !== '', 'a node has a name')
    this.id = id
    this.options = options
    this.random = random
    this.log = new Log(saved)
    const { term, vote, commit } = saved.hardState
    assert(this.log.lastTerm <= term, 'no entry is from the future')
    assert(commit <= this.log.lastIndex, 'what was committed here is stored here')
    this.term = term
    this.vote = vote
    this.commitIndex = Math.max(commit, saved.snapshot?.index ?? 0)
    this.handedIndex = saved.snapshot?.index ?? 0
    this.appliedIndex = this.handedIndex
    this.writes = new Writes(this.log.lastIndex, saved.hardState)
    this.reads = emptyReads(this.draw(1, 2 ** 40))
    this.lease = emptyLease(options)
    this.restartElectionTimer()
  }

  get configuration(): Configuration {
    return this.log.configuration.configuration
  }

  get standing(): Standing {
    return { term: this.term, commit: this.commitIndex, round: this.roundHeard }
  }

  get isConfigurationCommitted(): boolean {
    return this.log.configuration.index <= this.commitIndex
  }

  /** Thesis §4.2.2: a node that is leaving may still be needed as leader until its removal is committed. */
  get mayCampaign(): boolean {
    return (
      isVoter(this.configuration, this.id) ||
      isVoter(this.log.configurationAt(this.commitIndex).configuration, this.id)
    )
  }

  /** Whether a leader was alive a moment ago, so that nobody needs an election (thesis §4.2.3). */
  get hasLivingLeader(): boolean {
    if (this.role === 'leader') return true
    return this.leader !== null && this.ticksSinceLeader < this.options.electionTicksMin
  }

  /** A leader may count on older entries and answer reads only then (paper §5.4.2, §8). */
  get hasCommittedInTerm(): boolean {
    return this.log.termAt(this.commitIndex) === this.term
  }

  /** A whole number in [min, max]. */
  draw(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1))
  }

  restartElectionTimer(): void {
    this.electionTicks = 0
    this.electionTimeout = this.draw(this.options.electionTicksMin, this.options.electionTicksMax)
    if (this.isReluctant) this.electionTimeout += this.options.electionTicksMax
  }

  setReluctance(isReluctant: boolean): void {
    if (isReluctant === this.isReluctant) return
    this.isReluctant = isReluctant
    const { electionTicksMin, electionTicksMax } = this.options
    if (isReluctant) this.electionTimeout += electionTicksMax
    else this.electionTimeout = Math.max(electionTicksMin, this.electionTimeout - electionTicksMax)
  }

  /** Try (again) soon: a failed campaign must not cost a whole timeout. */
  shortenElectionTimer(): void {
    this.electionTicks = 0
    const { heartbeatTicks } = this.options
    this.electionTimeout = this.draw(heartbeatTicks, 2 * heartbeatTicks)
    if (this.isReluctant) this.electionTimeout += 2 * heartbeatTicks
  }

  setLeader(leader: NodeId | null): void {
    if (leader === this.leader) return
    this.leader = leader
    this.fact({ type: 'leaderChanged', term: this.term, leader })
  }

  fact(fact: Fact): void {
    this.outbox.facts.push(fact)
  }

  /** Send what binds us to nothing. */
  send(to: NodeId, message: Message): void {
    assert(to !== this.id, 'nobody writes to himself')
    this.outbox.sendNow.push({ from: this.id, to, message })
  }

  /** Send a promise: it leaves when all that was written up to and including this step is durable. */
  promise(to: NodeId, message: Message): void {
    assert(to !== this.id, 'nobody promises himself')
    this.outbox.sendAfterPersist.push({ from: this.id, to, message })
  }

  drop(envelope: Envelope, reason: string): void {
    this.fact({ type: 'messageDropped', from: envelope.from, message: envelope.message.type, reason })
  }

  /**
   * The leader of the present term said, `age` ticks ago, that all up to `index` is committed. That this is all that was
   * committed by then is certain only once it has committed an entry of its own term, so that one must be here.
   */
  hearOfCommit(index: number, age: number): void {
    this.commitHeard = Math.max(this.commitHeard, index)
    if (this.log.termAt(index) === this.term)
      this.ticksSinceCommitHeard = Math.min(this.ticksSinceCommitHeard, age)
  }

  /** Raise the commit index; never lowers it. */
  commitTo(index: number): void {
    if (index <= this.commitIndex) return
    assert(index <= this.log.lastIndex, 'only what is in the log is committed')
    const committed = this.log.configurationsBetween(this.commitIndex, index)
    this.commitIndex = index
    for (const placed of committed) this.fact({ type: 'configurationCommitted', ...placed })
  }

  applied(index: number): void {
    assert(index <= this.handedIndex, 'only what was handed out can be applied')
    this.appliedIndex = Math.max(this.appliedIndex, index)
    while (this.applying.length > 0 && this.applying[0]!.lastIndex <= index)
      this.applyingBytes -= this.applying.shift()!.bytes
  }

  takeReady(): Ready {
    const hardState: HardState = { term: this.term, vote: this.vote, commit: this.commitIndex }
    const ready = { ...this.outbox, persist: this.writes.take(this.log, hardState), apply: this.takeApply() }
    this.outbox = emptyOutbox()
    return ready
  }

  /** Entries that are committed and on our own disk, as far as the limit on unapplied bytes allows. */
  private takeApply(): Entry[] {
    const through = Math.min(this.commitIndex, this.writes.persistedIndex)
    const allowance = this.options.applyBytesMax - this.applyingBytes
    if (through <= this.handedIndex || allowance <= 0) return []
    const entries = this.log.slice(this.handedIndex + 1, through, allowance)
    this.handedIndex += entries.length
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0)
    this.applying.push({ lastIndex: this.handedIndex, bytes })
    this.applyingBytes += bytes
    return entries
  }
}
