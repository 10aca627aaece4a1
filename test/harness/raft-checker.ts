/** What must hold in every moment of every raft cluster (paper, figure 3), watched from outside. Throws at the first breach. */
import type { Entry, Envelope, Input, Ready } from '../../raft/index.ts'
import { type RaftNode, textOf } from './raft-node.ts'

export class RaftChecker {
  private readonly leaders = new Map<number, string>()
  private readonly votes = new Map<string, string>()
  /** Content and predecessor of every (index, term) ever written anywhere. */
  private readonly entries = new Map<string, string>()
  private readonly committed = new Map<number, string>()
  private readonly reads = new Map<string, number>()
  committedIndex = 0

  onReady(node: RaftNode, input: Input, ready: Ready): void {
    if (input.type === 'read') this.reads.set(`${node.id} ${input.key}`, this.committedIndex)
    for (const entry of ready.persist?.entries ?? []) this.logMatching(node, entry)
    for (const entry of ready.apply) this.stateMachineSafety(node, entry)
    for (const fact of ready.facts) {
      if (fact.type === 'becameLeader') this.electionSafety(node, fact.term)
      expect(fact.type !== 'promiseLost', `${node.id} is said to have lost what no disk has forgotten`)
    }
    for (const read of ready.reads) {
      const asked = this.reads.get(`${node.id} ${read.key}`)
      expect(asked !== undefined, `${node.id} answers read ${read.key} that was not asked, or twice`)
      this.reads.delete(`${node.id} ${read.key}`)
      if (read.type === 'granted')
        expect(
          read.index >= asked,
          `${node.id} read ${read.key} at ${read.index}, but ${asked} was committed before`,
        )
    }
  }

  /** A message leaves for the network: what it promises must be on the disk. */
  onSend(node: RaftNode, { to, message }: Envelope): void {
    if (message.type === 'voteResult' && message.granted) {
      const key = `${node.id} in ${message.term}`
      const earlier = this.votes.get(key) ?? to
      this.votes.set(key, to)
      expect(earlier === to, `${key} voted for ${earlier} and ${to}`)
      const { term, vote } = node.disk.hardState
      expect(term > message.term || vote === to, `${key} voted for ${to} and its disk does not know`)
    }
    if (message.type === 'pulled') for (const entry of message.entries) this.relayed(node, entry)
    if (message.type === 'appended' || message.type === 'report') {
      const { snapshot, entries } = node.disk
      const durable = Math.max(snapshot?.index ?? 0, entries.at(-1)?.index ?? 0)
      expect(durable >= message.match, `${node.id} promised ${message.match}, its disk ends at ${durable}`)
    }
  }

  /** What a relay passes on is committed: nobody ever applies something else there. */
  private relayed(node: RaftNode, entry: Entry): void {
    const text = describe(entry)
    const earlier = this.committed.get(entry.index) ?? text
    this.committed.set(entry.index, text)
    expect(earlier === text, `${entry.index} is '${earlier}', and ${node.id} passes on '${text}'`)
  }

  /** At most one leader per term; and it has everything that was ever committed. */
  private electionSafety(node: RaftNode, term: number): void {
    const other = this.leaders.get(term) ?? node.id
    this.leaders.set(term, node.id)
    expect(other === node.id, `term ${term} has two leaders, ${other} and ${node.id}`)
    const known = Math.max(node.memory.snapshot?.index ?? 0, (node.memory.entries[0]?.index ?? 1) - 1)
    for (const [index, text] of this.committed) {
      if (index <= known) continue
      const entry = node.remembers(index)
      expect(
        entry && describe(entry) === text,
        `leader ${node.id} of term ${term} lacks committed ${index}: ${text}`,
      )
    }
  }

  /** Two logs with an entry of the same index and term are the same up to there. */
  private logMatching(node: RaftNode, entry: Entry): void {
    const { index, term } = entry
    const { snapshot } = node.memory
    const before = node.remembers(index - 1)?.term ?? (snapshot?.index === index - 1 ? snapshot.term : 0)
    const text = `${describe(entry)} after ${before}`
    const earlier = this.entries.get(`${index}/${term}`) ?? text
    this.entries.set(`${index}/${term}`, text)
    expect(earlier === text, `${index}/${term} is '${earlier}' and, on ${node.id}, '${text}'`)
  }

  /** What one node applied at an index, no node ever applies differently; and it is durable where it is applied. */
  private stateMachineSafety(node: RaftNode, entry: Entry): void {
    const text = describe(entry)
    const earlier = this.committed.get(entry.index) ?? text
    this.committed.set(entry.index, text)
    this.committedIndex = Math.max(this.committedIndex, entry.index)
    expect(earlier === text, `${entry.index} is '${earlier}' and, on ${node.id}, '${text}'`)
    const { snapshot, entries } = node.disk
    const durable = Math.max(snapshot?.index ?? 0, entries.at(-1)?.index ?? 0)
    expect(entry.index <= durable, `${node.id} applies ${entry.index}, its disk ends at ${durable}`)
  }
}

const describe = (entry: Entry): string => `${entry.term} ${textOf(entry)}`

function expect(holds: boolean | undefined, breach: string): asserts holds {
  if (!holds) throw new Error(breach)
}
