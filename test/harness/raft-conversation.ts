/** The commands of a raft transcript: a few nodes, a network that waits, and disks that wait. See COMMANDS. */
import {
  defaultOptions,
  type Envelope,
  emptyConfiguration,
  type Options,
  type SavedState,
} from '../../raft/index.ts'
import { RaftNode } from './raft-node.ts'
import { printEnvelope, printReady, printStatus } from './raft-text.ts'

/** The order of dice makes `a` campaign first, `b` next, and so on. */
const DICE: Readonly<Record<string, number>> = { a: 0, b: 0.15, c: 0.3, d: 0.45, e: 0.6, f: 0.75, g: 0.9 }

const OPTIONS: Options = { ...defaultOptions(50), snapshotChunkBytes: 16 }

type Arguments = { readonly words: readonly string[]; readonly named: Readonly<Record<string, string>> }

export class RaftConversation {
  private readonly nodes = new Map<string, RaftNode>()
  private network: Envelope[] = []
  private readonly cuts = new Set<string>()
  private output: string[] = []
  private isVerbose = true
  private options = OPTIONS
  private readonly ticks = new Map<string, number>()

  run(line: string): string {
    const [name = '', ...rest] = line.split(/\s+/)
    const command = this.commands[name]
    if (!command) throw new Error(`no such command: ${line}`)
    const named = Object.fromEntries(rest.filter(word => word.includes('=')).map(word => word.split('=')))
    this.isVerbose = !rest.includes('quiet')
    this.output = []
    command({ words: rest.filter(word => !word.includes('=') && word !== 'quiet'), named })
    return this.output.join('\n')
  }

  private readonly commands: Readonly<Record<string, (given: Arguments) => void>> = {
    /** option NAME=NUMBER… : for the nodes started after it. */
    option: ({ named }) => {
      const numbers = Object.entries(named).map(([name, value]) => [name, Number(value)])
      this.options = { ...this.options, ...Object.fromEntries(numbers) }
    },
    /** start NODE… [voters=] [learners=] [terms=1,1,2] [term=] [commit=] : nodes with this saved state. */
    start: ({ words, named }) => {
      for (const id of words) this.add(id, savedState(named))
    },
    /** tick NODE [COUNT] : time passes; whoever has no tick in it stands still. */
    tick: ({ words: [id = '', count = '1'] }) => {
      for (const node of this.chosen(id)) for (let i = 0; i < Number(count); i++) this.tick(node)
    },
    /** Ticks until the node campaigns. */
    campaign: ({ words: [id = ''] }) => this.campaign(this.node(id)),
    /** Campaign and settle without a word, except who leads. */
    elect: ({ words: [id = ''] }) => {
      this.campaign(this.node(id))
      this.settle()
      const { role, term } = this.node(id).raft!.status()
      this.output = [`${id} is ${role} of term ${term}`]
    },
    /** forge FROM->TO TYPE FIELD=VALUE… : a message that nobody wrote. */
    forge: ({ words: [link = '', type], named }) => {
      const [from = '', to = ''] = link.split('->')
      const fields = Object.entries(named).map(([name, value]) => [
        name,
        name === 'data' ? new TextEncoder().encode(value) : JSON.parse(value),
      ])
      this.network.push({ from, to, message: { type, ...Object.fromEntries(fields) } })
    },
    /** Disks and network run until nothing is left to do. */
    settle: () => this.settle(),
    /** Like settle, with a tick for everybody in between, COUNT times. */
    pass: ({ words: [count = '1'] }) => {
      for (let i = 0; i < Number(count); i++) {
        for (const node of this.chosen('all')) this.tick(node)
        this.settle()
      }
    },
    /** The next write of the node becomes durable. */
    flush: ({ words }) => {
      for (const id of words) this.flush(this.node(id))
    },
    /** deliver A->B… : what waits on these links, in order; without links, everything. */
    deliver: ({ words }) => this.deliver(words),
    drop: ({ words }) => {
      this.network = this.network.filter(envelope => !isOn(envelope, words))
    },
    /** cut A->B… or cut A : messages are lost from now on. */
    cut: ({ words }) => {
      for (const word of words) for (const link of this.linksOf(word)) this.cuts.add(link)
      this.network = this.network.filter(envelope => !this.cuts.has(linkOf(envelope)))
    },
    heal: () => this.cuts.clear(),
    propose: ({ words: [id = '', ...texts] }) => {
      const proposals = texts.map(text => ({ key: text, data: new TextEncoder().encode(text) }))
      this.node(id).step({ type: 'propose', proposals })
    },
    /** change NODE voter=d removed=a,b learner=c [autoLeave=no] */
    change: ({ words: [id = ''], named }) => {
      const changes = (['voter', 'learner', 'removed'] as const).flatMap(role =>
        listOf(named[role]).map(node => ({ node, role })),
      )
      const autoLeave = named.autoLeave !== 'no'
      this.node(id).step({ type: 'proposeConfiguration', key: 'change', changes, autoLeave })
    },
    read: ({ words: [id = '', key = ''] }) => this.node(id).step({ type: 'read', key, now: this.now }),
    transfer: ({ words: [id = '', to = null] }) => this.node(id).step({ type: 'transferLeadership', to }),
    /** reluctant NODE : it would rather not lead from now on. willing NODE : it is as good as any again. */
    reluctant: ({ words: [id = ''] }) => this.node(id).step({ type: 'reluctance', isReluctant: true }),
    willing: ({ words: [id = ''] }) => this.node(id).step({ type: 'reluctance', isReluctant: false }),
    compact: ({ words: [id = '', trailing = '0'] }) => this.node(id).compact(Number(trailing)),
    /** disconnected A B : A sees the connection to B reset. */
    disconnected: ({ words: [id = '', peer = ''] }) => this.node(id).step({ type: 'peerDisconnected', peer }),
    unreachable: ({ words: [id = '', peer = ''] }) => this.node(id).step({ type: 'unreachable', peer }),
    crash: ({ words }) => {
      for (const id of words) this.node(id).crash()
      this.network = this.network.filter(({ to }) => !words.includes(to))
    },
    restart: ({ words }) => {
      for (const id of words) this.node(id).start()
    },
    status: ({ words: [id = 'all'] }) => {
      for (const node of this.chosen(id)) this.output.push(printStatus(node.raft!.status()))
    },
    log: ({ words: [id = 'all'] }) => {
      for (const { id: name, memory } of this.chosen(id))
        this.output.push(`${name}: ${memory.entries.map(entry => `${entry.index}/${entry.term}`).join(' ')}`)
    },
    state: ({ words: [id = 'all'] }) => {
      for (const node of this.chosen(id)) this.output.push(`${node.id}: ${node.lines.join(', ')}`)
    },
  }

  private campaign(node: RaftNode): void {
    for (let i = 0; i < 100 && node.raft!.status().role === 'follower'; i++) this.tick(node)
  }

  private tick(node: RaftNode): void {
    this.ticks.set(node.id, (this.ticks.get(node.id) ?? 0) + 1)
    node.step({ type: 'tick', now: this.now })
  }

  /** The clock on the wall: as late as it is for whoever had the most ticks. */
  private get now(): number {
    return Math.max(0, ...this.ticks.values())
  }

  private add(id: string, saved: SavedState): void {
    const random = () => DICE[id] ?? 0.5
    const node = new RaftNode(id, saved, this.options, {
      random,
      onReady: (_node, _input, ready) => {
        this.output.push(...printReady(id, ready, this.isVerbose))
        this.send(ready.sendNow)
      },
    })
    this.nodes.set(id, node)
  }

  private node(id: string): RaftNode {
    const node = this.nodes.get(id)
    if (!node) throw new Error(`no such node: ${id}`)
    return node
  }

  private chosen(id: string): RaftNode[] {
    return id === 'all' ? [...this.nodes.values()].filter(node => node.raft) : [this.node(id)]
  }

  private send(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) if (!this.cuts.has(linkOf(envelope))) this.network.push(envelope)
  }

  private flush(node: RaftNode): void {
    const sequence = node.writes[0]?.persist?.sequence
    this.send(node.flushOne())
    if (sequence !== undefined) node.acknowledge(sequence)
  }

  private deliver(links: readonly string[]): void {
    const arriving = this.network.filter(envelope => links.length === 0 || isOn(envelope, links))
    this.network = this.network.filter(envelope => !arriving.includes(envelope))
    for (const envelope of arriving) {
      if (this.isVerbose) this.output.push(printEnvelope(envelope))
      this.nodes.get(envelope.to)?.step({ type: 'receive', envelope })
    }
  }

  private settle(): void {
    const isBusy = () => this.network.length > 0 || this.chosen('all').some(node => node.writes.length > 0)
    for (let round = 0; round < 1000 && isBusy(); round++) {
      for (const node of this.chosen('all')) while (node.writes.length > 0) this.flush(node)
      this.deliver([])
    }
  }

  private linksOf(word: string): string[] {
    if (word.includes('->')) return [word]
    return [...this.nodes.keys()].flatMap(other => [`${word}->${other}`, `${other}->${word}`])
  }
}

const linkOf = ({ from, to }: Envelope): string => `${from}->${to}`

const isOn = (envelope: Envelope, links: readonly string[]): boolean => links.includes(linkOf(envelope))

const listOf = (text: string | undefined): string[] => (text ? text.split(',') : [])

/** A log whose first entry is the configuration and whose others are commands of the given terms. */
const savedState = (named: Readonly<Record<string, string>>): SavedState => {
  const voters = listOf(named.voters)
  if (voters.length === 0)
    return { hardState: { term: 0, vote: null, commit: 0 }, snapshot: null, entries: [] }
  const terms = listOf(named.terms ?? '1').map(Number)
  const configuration = { ...emptyConfiguration, voters, learners: listOf(named.learners) }
  const entries = terms.map((term, position) =>
    position === 0
      ? ({ type: 'configuration', index: 1, term, configuration } as const)
      : ({ type: 'normal', index: position + 1, term, data: new TextEncoder().encode(`t${term}`) } as const),
  )
  const term = Number(named.term ?? terms.at(-1))
  return { hardState: { term, vote: null, commit: Number(named.commit ?? 1) }, snapshot: null, entries }
}
