/**
 * Agents of one program, each in a namespace of its own on one bridge, and what each says of every other in its log: the
 * same eyes for all programs. A line counts when this process reads it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bridge, setAddress } from '../../harness/bridge.ts'
import { Agent, type Launch } from './agent.ts'
import type { News, Program } from './program.ts'

const BRIDGE = 'br-agents'
const NETWORK = '10.78.0'
const JOINED_WITHIN_MS = 90_000
/** They end this process in order. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Of a failure. */
const TOLD_MAX = 3

type State = 'alive' | 'dead'
type View = { readonly state: State; readonly atMs: number }

/** The parts of a join. */
export type Joined = {
  /** From the start of its process until the first of the others knew it. */
  readonly firstMs: number
  /** From then until the last of them did. */
  readonly spreadMs: number
  /** From then until it knew all of them too. */
  readonly mutualMs: number
}

/** Somebody healthy was held dead. */
export type FalseAlarm = { readonly by: string; readonly about: string }

export class Fleet {
  readonly program: Program
  readonly agents: Agent[] = []
  readonly falseAlarms: FalseAlarm[] = []
  readonly #bridge: Bridge
  readonly #directory: string
  readonly #ids = new Map<Agent, string>()
  /** What an agent thinks of the others, by their ids, since it was started. */
  readonly #views = new Map<Agent, Map<string, View>>()
  /** Agents that are or were harmed, until they are well again. */
  readonly #harmed = new Set<Agent>()
  readonly #waiting = new Set<() => void>()

  private constructor(program: Program, bridge: Bridge) {
    this.program = program
    this.#bridge = bridge
    this.#directory = mkdtempSync(join(tmpdir(), 'tutti-agents-'))
  }

  /** `count` agents that know each other. */
  static async open(program: Program, count: number): Promise<Fleet> {
    const fleet = new Fleet(program, Bridge.open(BRIDGE, NETWORK))
    process.on('exit', fleet.#onExit)
    for (const signal of SIGNALS) process.on(signal, fleet.#onSignal)
    try {
      while (fleet.agents.length < count)
        await fleet.grow(
          Math.min(count - fleet.agents.length, fleet.agents.length === 0 ? 1 : program.joinersMax),
        )
      return fleet
    } catch (thrown) {
      await fleet.close()
      throw thrown
    }
  }

  /** Newcomers that join together; afterwards all know each other. */
  async grow(count: number): Promise<void> {
    const newcomers = Array.from({ length: count }, () => this.#prepare())
    for (const agent of newcomers) this.#start(agent, await this.#launchOf(agent))
    await this.whole()
  }

  /** One newcomer. When it says who it is does not count, only who knew whom when. */
  async join(): Promise<Joined> {
    const agent = this.#prepare()
    const launch = await this.#launchOf(agent)
    const startedMs = performance.now()
    this.#start(agent, launch)
    await this.whole()
    const others = this.#viewsOf(agent).map(atMsOf)
    const own = [...(this.#views.get(agent)?.values() ?? [])].map(atMsOf)
    const firstMs = Math.min(...others)
    return {
      firstMs: firstMs - startedMs,
      spreadMs: Math.max(...others) - firstMs,
      mutualMs: Math.max(...others, ...own) - firstMs,
    }
  }

  /** An agent with its namespace, not started. */
  #prepare(): Agent {
    const place = { network: NETWORK, directory: this.#directory }
    const agent = new Agent(this.agents.length, place)
    mkdirSync(agent.directory)
    this.#bridge.connect(agent)
    setAddress(agent, agent.address)
    this.agents.push(agent)
    return agent
  }

  async #launchOf(agent: Agent): Promise<Launch> {
    const [first] = this.agents
    if (first === undefined || first === agent) return this.program.found(agent)
    return this.program.join(agent, first)
  }

  /** From now on others may hold it dead. */
  harm(agent: Agent): void {
    this.#harmed.add(agent)
  }

  /** It is well again, and so they may no more. */
  healed(agent: Agent): void {
    this.#harmed.delete(agent)
  }

  /** Starts one that was killed. */
  resume(agent: Agent): void {
    this.#start(agent, this.program.resume(agent, this.otherThan(agent)))
  }

  otherThan(agent: Agent): Agent {
    const other = this.agents.find(one => one !== agent)
    if (other === undefined) throw new Error('there is nobody else')
    return other
  }

  #start(agent: Agent, launch: Launch): void {
    this.#views.set(agent, new Map())
    agent.start(launch, line => {
      const news = this.program.news(line)
      if (news !== null) this.#hear(agent, news)
    })
  }

  #hear(agent: Agent, news: News): void {
    if (news.type === 'self') this.#ids.set(agent, news.id)
    else {
      const views = this.#views.get(agent)
      // Said again, it is no news.
      if (views?.get(news.about)?.state !== news.state)
        views?.set(news.about, { state: news.state, atMs: performance.now() })
      if (news.state === 'dead' && !this.#harmed.has(agent)) this.#blame(agent, news.about)
    }
    for (const look of this.#waiting) look()
  }

  #blame(by: Agent, id: string): void {
    const about = this.agents.find(agent => this.#idOf(agent) === id)
    if (about === undefined || this.#harmed.has(about)) return
    this.falseAlarms.push({ by: by.name, about: about.name })
  }

  /** Programs that do not tell use names. */
  #idOf(agent: Agent): string {
    return this.#ids.get(agent) ?? agent.name
  }

  /** When the last of the others came to hold `about` for `state`, in milliseconds on this process's clock. */
  async allHold(about: Agent, state: State, withinMs: number): Promise<number> {
    await this.#until(`all others to hold ${about.name} ${state}`, withinMs, () =>
      this.#viewsOf(about).every(view => view?.state === state),
    )
    return Math.max(...this.#viewsOf(about).map(view => view?.atMs ?? 0))
  }

  /** What the others that are well think of one. */
  #viewsOf(about: Agent): readonly (View | undefined)[] {
    const id = this.#idOf(about)
    const others = this.agents.filter(agent => agent !== about && !this.#harmed.has(agent))
    return others.map(agent => this.#views.get(agent)?.get(id))
  }

  /** Everybody holds everybody else alive. */
  whole(withinMs = JOINED_WITHIN_MS): Promise<void> {
    return this.#until('all to know each other', withinMs, () =>
      this.agents.every(agent => {
        const views = this.#views.get(agent)
        return this.agents.every(other => other === agent || views?.get(this.#idOf(other))?.state === 'alive')
      }),
    )
  }

  async #until(what: string, withinMs: number, isSo: () => boolean): Promise<void> {
    if (isSo()) return
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`waited ${withinMs} ms in vain for ${what}\n${this.#describe()}`))
      }, withinMs)
      const look = (): void => {
        if (!isSo()) return
        end()
        resolve()
      }
      this.#waiting.add(look)
    })
  }

  /** Who misses whom, and the last words of the first few. */
  #describe(): string {
    const odd = this.agents.flatMap(agent => {
      const views = this.#views.get(agent)
      const missed = this.agents.flatMap(other => {
        const state = views?.get(this.#idOf(other))?.state ?? 'unknown'
        return other === agent || state === 'alive' ? [] : [`${other.name} ${state}`]
      })
      return missed.length === 0 ? [] : [{ agent, text: `${agent.name}: ${missed.join(', ')}` }]
    })
    const ended = this.agents.filter(agent => agent.pid === null)
    const heard = [...ended, ...odd.map(({ agent }) => agent)].slice(0, TOLD_MAX)
    const words = heard.map(agent => `${agent.name} said last:\n${agent.lastWords}`)
    return [...odd.map(({ text }) => text), ...words].join('\n')
  }

  async close(): Promise<void> {
    await Promise.all(this.agents.map(agent => agent.kill()))
    process.off('exit', this.#onExit)
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
    this.#remove()
  }

  readonly #onExit = (): void => {
    for (const agent of this.agents) agent.killNow()
    this.#remove()
  }

  readonly #onSignal = (): void => process.exit(1)

  #remove(): void {
    this.#bridge.close()
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

const atMsOf = (view: View | undefined): number => view?.atMs ?? Number.POSITIVE_INFINITY
