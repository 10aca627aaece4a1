/**
 * Bugs that were made by others before us, or nearly by us, planted one at a time into the nodes' code to show that the
 * simulation finds them. A plant replaces one piece of text that must be found exactly once.
 */

export type Plant = {
  readonly name: string
  /** From the root of the project. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** What breaks, and where it is known from. */
  readonly why: string
  /** At or shortly before the first seed that catches it, when it was searched for from seed 1 on: the test begins there. */
  readonly seed: number
}

export const PLANTS: readonly Plant[] = [
  {
    name: 'old-term-by-counting',
    file: 'raft/leader.ts',
    find: 'if (index <= core.commitIndex || core.log.termAt(index) !== core.term) return',
    replace: 'if (index <= core.commitIndex) return',
    why: 'an entry of an earlier term, on a majority, can still be replaced (Raft paper, figure 8)',
    seed: 49,
  },
  {
    name: 'two-votes',
    file: 'raft/voting.ts',
    find: "if (core.vote !== null && core.vote !== from) return 'votedForOther'",
    replace: '',
    why: 'a voter that forgets whom it voted for elects two leaders of one term (Raft paper, §5.2)',
    seed: 4,
  },
  {
    name: 'vote-not-persisted',
    file: 'raft/core.ts',
    find: 'term: this.term, vote: this.vote, commit: this.commitIndex }',
    replace: 'term: this.term, vote: null, commit: this.commitIndex }',
    why: 'a vote that only memory holds is given again after a restart (Raft paper, figure 2: persistent state)',
    seed: 1,
  },
  {
    name: 'send-before-fsync',
    file: 'node/consensus/raft.actor.ts',
    find: 'running.promises.hold(ready.sendAfterPersist)',
    replace: 'ready.sendAfterPersist',
    why: 'a promise that leaves before the disk has it is broken by a power cut (Raft paper, §5.1: before responding)',
    seed: 1,
  },
  {
    name: 'log-not-compared',
    file: 'raft/log.ts',
    find: 'return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex)',
    replace: 'return lastTerm + lastIndex >= 0',
    why: 'a candidate with an older log overwrites what was committed (Raft paper, §5.4.1)',
    seed: 1,
  },
  {
    name: 'learner-counts',
    file: 'raft/quorum.ts',
    find: 'const incoming = majorityIndex(configuration.voters, indexOf)',
    replace:
      'const all = [...configuration.voters, ...configuration.learners]; const incoming = all.map(indexOf).sort((a, b) => b - a)[majorityOf(configuration.voters.length) - 1] ?? 0',
    why: 'entries on learners that do not vote are lost with the leader (thesis §4.2.1)',
    seed: 1,
  },
  {
    name: 'relayed-before-commit',
    file: 'raft/relay/serve.ts',
    find: 'core.log.slice(prevIndex + 1, core.commitIndex, core.options.appendBytesMax)',
    replace: 'core.log.slice(prevIndex + 1, core.log.lastIndex, core.options.appendBytesMax)',
    why: 'whoever pulls applies all it receives: entries that are not committed are replaced by the next leader',
    seed: 1,
  },
  {
    name: 'read-without-quorum',
    file: 'raft/reads/read-index.ts',
    find: 'voter === core.id ? reads.round : (core.peers.get(voter)?.roundAcked ?? 0)',
    replace: 'voter === core.id ? reads.round : reads.round',
    why: 'a leader that was deposed while it stood still answers from an old state (thesis §6.4)',
    seed: 204,
  },
  {
    name: 'lease-after-pause',
    file: 'raft/reads/lease.ts',
    find: 'now - since < core.options.leaseTicks',
    replace: '(core.lease.now ?? now) - since < core.options.leaseTicks',
    why: 'a lease that is measured by ticks does not see that the process stood still (etcd issue 20418)',
    seed: 1,
  },
  {
    name: 'acknowledged-before-commit',
    file: 'node/consensus/submit.actor.ts',
    find: 'if (index >= reply.index && !this.#settleFromState(pending)) this.#again(pending, ctx)',
    replace: 'if (index > 0) this.#resolve(pending, { ok: true, index: reply.index })',
    why: 'the leader has it is not the quorum has it: the write is gone with the leader',
    seed: 1,
  },
  {
    name: 'retry-applied-again',
    file: 'scheduler/apply.ts',
    find: 'if (first) return { outcome: first, events: [] }',
    replace: '',
    why: 'a retry after a leader change takes effect twice (thesis §6.3)',
    seed: 1,
  },
  {
    name: 'requests-not-restored',
    file: 'scheduler/snapshot.ts',
    find: 'for (const [requestId, outcome] of snapshot.requests) tables.requests.set(requestId, outcome)',
    replace: '',
    why: 'a snapshot without the table of requests forgets what was applied: a retry after it takes effect again (thesis §6.3)',
    seed: 1,
  },
  {
    name: 'local-dice-in-apply',
    file: 'scheduler/apply/nodes.ts',
    find: 'stateChangedAtMs: isBack ? step.atMs : node.stateChangedAtMs',
    replace: 'stateChangedAtMs: isBack ? Math.random() : node.stateChangedAtMs',
    why: 'a state machine that looks at anything but the log differs from node to node',
    seed: 1,
  },
  {
    name: 'stale-plan-applied',
    file: 'scheduler/apply/plan.ts',
    find: 'if (refusal) return refusal',
    replace: "if (refusal && refusal.code !== 'E_STALE_PLAN') return refusal",
    why: 'a plan made on an older state starts what was started or is not wanted any more (Nomad plan queue)',
    seed: 1,
  },
  {
    name: 'lost-pod-runs-on',
    file: 'node/agent/agent.actor.ts',
    find: 'else if (!child.isStopping) stop(child, { isReported: false })',
    replace: '',
    why: 'a node that returns from a partition keeps what was replaced meanwhile: two owners of one slot',
    seed: 1,
  },
  {
    name: 'lost-incarnation',
    file: 'gossip/claims.ts',
    find: 'if (claim.incarnation + 1 >= INCARNATION_MAX) return',
    replace: 'if (claim.incarnation > self.incarnation) return',
    why: 'a node that does not go beyond its former life convinces nobody: a false death remains (SWIM, §4.2)',
    seed: 1,
  },
]
