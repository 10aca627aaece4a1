/** Real nodes on loopback whose voters are watched: who votes, how often that changed, whether writes are accepted. */
import { type DemoNode, pause } from '../../cli/demo/demo-node.ts'
import type { RaftView } from '../../node/api/native/schema.ts'
import { LocalCluster } from '../harness/local-cluster.ts'

const READY_WITHIN_MS = 30_000
const LOOK_MS = 100
const READ_WITHIN_MS = 2_000
const RETRY_MS = 5
/** A cluster that can decide has accepted a write by then. */
const ACCEPTED_WITHIN_MS = 15_000
/** A loss is noticed within a second and settled five later; an exchange follows another at once. */
const REST_MS = 8_000
const REST_WITHIN_MS = 60_000

export class WatchedVoters {
  readonly cluster: LocalCluster
  /** Each set of voters that was seen without a change under way and differs from the one before: sorted names. */
  readonly history: string[][] = []
  /** Names of workloads whose writes were accepted. */
  readonly accepted: string[] = []
  #commitIndex = 0
  #changedAtMs = performance.now()
  #writeCount = 0
  #isOver = false
  readonly #watching: Promise<void>

  private constructor(cluster: LocalCluster) {
    this.cluster = cluster
    this.#watching = this.#watch()
  }

  static async start(
    count: number,
    labelsOf?: (position: number) => readonly string[],
  ): Promise<WatchedVoters> {
    const voters = new WatchedVoters(await LocalCluster.start(count, labelsOf))
    await voters.rested()
    return voters
  }

  get alive(): readonly DemoNode[] {
    return this.cluster.nodes.filter(node => !node.hasEnded())
  }

  /** As last seen: nobody who leads need be there. */
  get voters(): readonly DemoNode[] {
    return this.cluster.nodes.filter(node => this.history.at(-1)?.includes(node.name))
  }

  /** The living are a majority of the voters. */
  get hasMajority(): boolean {
    return 2 * this.voters.filter(node => !node.hasEnded()).length > this.voters.length
  }

  /** Who leads, and in which term; null while nobody does. */
  async reign(): Promise<{ readonly leader: DemoNode; readonly term: number } | null> {
    const views = await this.#views()
    const view = views.find(one => one.role === 'leader' && one.hasQuorum)
    const leader = this.cluster.nodes.find(node => node.name === view?.node)
    return view === undefined || leader === undefined ? null : { leader, term: view.term }
  }

  /** The reign after that of `leader`. */
  async reignAfter(leader: DemoNode): Promise<{ readonly leader: DemoNode; readonly term: number }> {
    const untilMs = performance.now() + ACCEPTED_WITHIN_MS
    for (;;) {
      const reign = await this.reign()
      if (reign !== null && reign.leader !== leader) return reign
      if (performance.now() > untilMs) throw new Error(`nobody leads after ${leader.name}`)
      await pause(LOOK_MS)
    }
  }

  /** The voters have not changed for as long as it takes to find a reason. */
  async rested(): Promise<void> {
    const sinceMs = performance.now()
    const untilMs = sinceMs + REST_WITHIN_MS
    while (performance.now() - Math.max(sinceMs, this.#changedAtMs) < REST_MS) {
      if (performance.now() > untilMs) throw new Error(`the voters find no rest: ${this.history.join(' | ')}`)
      await pause(LOOK_MS)
    }
  }

  /** A write is sent to every living node, again and again, until one accepts it. Milliseconds, or null. */
  async write(): Promise<number | null> {
    const sinceMs = performance.now()
    const number = ++this.#writeCount
    const untilMs = sinceMs + ACCEPTED_WITHIN_MS
    let isDone = false
    const insist = async (node: DemoNode): Promise<void> => {
      while (!isDone && performance.now() < untilMs && !node.hasEnded()) {
        const isAccepted = await this.#post(node, number)
        isDone ||= isAccepted
        if (isAccepted) return
        await pause(RETRY_MS)
      }
      throw new Error('not accepted')
    }
    return Promise.any(this.alive.map(insist)).then(
      () => {
        this.accepted.push(nameOf(number))
        return performance.now() - sinceMs
      },
      () => null,
    )
  }

  /** Whether each living node turns a write down. It may take effect later, so it is not counted. */
  async refuses(): Promise<boolean> {
    const number = ++this.#writeCount
    const answers = await Promise.all(this.alive.map(node => this.#post(node, number)))
    return answers.every(isAccepted => !isAccepted)
  }

  /** Starts a node that was killed, which then answers, though perhaps not as part of a quorum. */
  async revive(node: DemoNode): Promise<void> {
    this.cluster.restart(node)
    const untilMs = performance.now() + READY_WITHIN_MS
    while ((await this.#view(node)) === null) {
      if (node.hasEnded() || performance.now() > untilMs) throw new Error(`${node.name} did not start`)
      await pause(LOOK_MS)
    }
  }

  /** Lets a drained node lead and take pods again. */
  async activate(node: DemoNode): Promise<void> {
    await node.client(AbortSignal.timeout(ACCEPTED_WITHIN_MS)).activate(node.name)
  }

  /** Every node knows every accepted write; throws which one does not. */
  async keptEverything(): Promise<void> {
    const untilMs = performance.now() + REST_WITHIN_MS
    for (const node of this.alive)
      for (;;) {
        const workloads = await node
          .client(AbortSignal.timeout(READ_WITHIN_MS))
          .workloads()
          .catch(() => [])
        const known = new Set(workloads.map(({ name }) => name))
        const missing = this.accepted.filter(name => !known.has(name))
        if (missing.length === 0) break
        if (performance.now() > untilMs) throw new Error(`${node.name} has lost ${missing.join(' ')}`)
        await pause(LOOK_MS)
      }
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#watching
    await this.cluster.stop()
  }

  async #post(node: DemoNode, number: number): Promise<boolean> {
    const client = node.client(AbortSignal.timeout(ACCEPTED_WITHIN_MS))
    return client.apply({ spec: specOf(number) }).then(
      () => true,
      () => false,
    )
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      for (const view of await this.#views()) {
        if (view.isJoint || view.commitIndex <= this.#commitIndex) continue
        this.#commitIndex = view.commitIndex
        const voters = [...view.voters].sort()
        if (voters.join() === this.history.at(-1)?.join()) continue
        this.history.push(voters)
        this.#changedAtMs = performance.now()
      }
      await pause(LOOK_MS)
    }
  }

  async #views(): Promise<readonly RaftView[]> {
    const views = await Promise.all(this.alive.map(node => this.#view(node)))
    return views.filter(view => view !== null)
  }

  async #view(node: DemoNode): Promise<RaftView | null> {
    const [view] = await node
      .client(AbortSignal.timeout(READ_WITHIN_MS))
      .raft()
      .catch(() => [])
    return view ?? null
  }
}

const nameOf = (number: number): string => `mark-${number}`

/** A workload of no pods: a write that costs nothing else and stays to be seen. */
const specOf = (number: number): unknown => ({
  name: nameOf(number),
  kind: 'service',
  count: 0,
  pod: { containers: [{ command: ['true'] }] },
})
