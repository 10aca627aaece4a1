/**
 * Breaks the cluster while clients work, drawn from a seed: one hand breaks node programs and machines, the other the
 * network, each for a while and then nothing for a while, so that faults of both kinds meet.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from '../../../cli/client.ts'
import { socketPath } from '../../../node/paths.ts'
import type { Prng } from '../../harness/prng.ts'
import type { Host } from '../host.ts'
import { deafen, healLinks } from './links.ts'

const PROGRAM_FAULTS = ['kill', 'kill', 'pause', 'pause', 'stop', 'power', 'silent power'] as const
const LINK_FAULTS = ['minority', 'minority', 'leader alone', 'leader deaf', 'leader mute', 'thirds'] as const

export type FaultKind = (typeof PROGRAM_FAULTS)[number] | (typeof LINK_FAULTS)[number]

/** From a fraction of an election timeout to many of them. */
const FAULT_MS_MIN = 150
const FAULT_MS_MAX = 12_000
const CALM_MS_MAX = 4_000
const LEADER_RATE = 0.4
const ASK_MS = 500

export class Nemesis {
  readonly counts = new Map<FaultKind, number>()
  readonly #hosts: readonly Host[]
  readonly #dice: Prng
  readonly #tell: (line: string) => void
  readonly #over = new AbortController()

  constructor(hosts: readonly Host[], dice: Prng, tell: (line: string) => void) {
    this.#hosts = hosts
    this.#dice = dice
    this.#tell = tell
  }

  /** Breaks and heals until `end` is called, and leaves everything healed. */
  async run(): Promise<void> {
    await Promise.all([
      this.#repeat(this.#dice.fork('programs'), dice => this.#breakPrograms(dice)),
      this.#repeat(this.#dice.fork('links'), dice => this.#breakLinks(dice)),
    ])
  }

  end(): void {
    this.#over.abort()
  }

  async #repeat(dice: Prng, breakSome: (dice: Prng) => Promise<() => Promise<void>>): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#wait(dice.between(0, CALM_MS_MAX))
      if (this.#over.signal.aborted) return
      const heal = await breakSome(dice)
      // Short ones are as likely as long ones: a quick return finds other bugs than a slow one.
      await this.#wait(FAULT_MS_MIN * (FAULT_MS_MAX / FAULT_MS_MIN) ** dice.random())
      await heal()
    }
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#over.signal }).catch(() => undefined)
  }

  async #breakPrograms(dice: Prng): Promise<() => Promise<void>> {
    const kind = dice.pick(PROGRAM_FAULTS)
    const count = dice.pick([1, 1, 1, 1, 1, 2, 2, 2, 3, 5])
    const victims = await this.#victims(dice, count)
    this.#note(kind, victims)
    for (const host of victims) strike(host, kind)
    return async () => {
      for (const host of victims) await mend(host, kind)
    }
  }

  async #breakLinks(dice: Prng): Promise<() => Promise<void>> {
    const kind = dice.pick(LINK_FAULTS)
    const all = dice.shuffle(this.#hosts)
    const leader = (await this.#leader()) ?? (all[0] as Host)
    const others = all.filter(host => host !== leader)
    switch (kind) {
      case 'minority':
        part([all.slice(0, 2), all.slice(2)])
        break
      case 'leader alone':
        part([[leader], others])
        break
      case 'leader deaf':
        for (const host of others) deafen(leader, host)
        break
      case 'leader mute':
        for (const host of others) deafen(host, leader)
        break
      case 'thirds':
        part([all.slice(0, 2), all.slice(2, 4), all.slice(4)])
    }
    this.#note(kind, kind === 'minority' ? all.slice(0, 2) : kind === 'thirds' ? all : [leader])
    return async () => healLinks(this.#hosts)
  }

  #note(kind: FaultKind, hosts: readonly Host[]): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    this.#tell(`${kind}: ${hosts.map(host => host.name).join(' ')}`)
  }

  async #victims(dice: Prng, count: number): Promise<readonly Host[]> {
    const all = dice.shuffle(this.#hosts)
    const isLeaderFirst = dice.chance(LEADER_RATE)
    const leader = isLeaderFirst ? await this.#leader() : null
    return leader === null
      ? all.slice(0, count)
      : [leader, ...all.filter(host => host !== leader)].slice(0, count)
  }

  /** Whoever believes that it leads, and of several the one of the latest term. */
  async #leader(): Promise<Host | null> {
    const signal = AbortSignal.timeout(ASK_MS)
    const views = await Promise.all(
      this.#hosts.map(async host => {
        const target = { addresses: [`unix:${socketPath(host.dataDirectory)}`], token: null }
        const rows = await new Client({ target, node: null, signal }).raft().catch(() => [])
        return rows.filter(({ role }) => role === 'leader').map(({ term }) => ({ host, term }))
      }),
    )
    return views.flat().sort((a, b) => b.term - a.term)[0]?.host ?? null
  }
}

const strike = (host: Host, kind: (typeof PROGRAM_FAULTS)[number]): void => {
  switch (kind) {
    case 'kill':
      return host.signalNode('SIGKILL')
    case 'pause':
      return host.signalNode('SIGSTOP')
    case 'stop':
      return host.signalNode('SIGTERM')
    case 'power':
      return host.kill({ silent: false })
    case 'silent power':
      return host.kill({ silent: true })
  }
}

const mend = async (host: Host, kind: (typeof PROGRAM_FAULTS)[number]): Promise<void> => {
  if (kind === 'pause') return host.signalNode('SIGCONT')
  if (kind === 'power' || kind === 'silent power') await host.revive()
  else await host.nodeIsGone()
  host.startNode([])
}

/** Hosts of different groups do not hear each other. */
const part = (groups: readonly (readonly Host[])[]): void => {
  for (const group of groups)
    for (const other of groups)
      if (group !== other) for (const to of group) for (const from of other) deafen(to, from)
}
