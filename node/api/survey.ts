/**
 * What one node sees of the others over the cluster's own transport: whether each answers, how quickly, and whether a message
 * comes through that is far larger than any packet. A line that drops large packets passes small ones, so it looks alive.
 */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { State } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Peer, PeerApi } from './proxy.ts'
import type { Sight, Survey } from './survey-message.ts'

export type SurveyDeps = {
  readonly peers: Pick<PeerApi, 'wallMs' | 'echo'>
  readonly state: () => State
  readonly self: string
  readonly clock: Clock
}

/** Those that are looked at, of a large cluster. */
export const PEERS_ASKED_MAX = 16
const SMALL_MS = 1_000
const LARGE_MS = 1_000
/** Many full packets, whatever their size. */
const LARGE_TEXT = 'x'.repeat(128 * 1024)

/** Nobody is surveyed twice at a time, however many ask. */
export const createSurveyor = (deps: SurveyDeps): (() => Promise<Survey>) => {
  let underWay: Promise<Survey> | null = null
  return () => {
    underWay ??= survey(deps).finally(() => {
      underWay = null
    })
    return underWay
  }
}

/** Alive by the log, in the order of the roster. */
const othersOf = (state: State, self: string): readonly Peer[] =>
  [...state.nodes.values()]
    .filter(node => node.id !== self && node.state === 'alive')
    .slice(0, PEERS_ASKED_MAX)
    .map(({ id, name }) => ({ id, name }))

const survey = async (deps: SurveyDeps): Promise<Survey> => {
  const state = deps.state()
  const own = [...state.nodes.values()].find(({ id }) => id === deps.self)
  const [mtu, sights] = await Promise.all([
    own === undefined ? null : mtuOf(own.address),
    Promise.all(othersOf(state, deps.self).map(peer => lookAt(deps, peer))),
  ])
  return { mtu, sights }
}

const lookAt = async ({ peers, clock }: SurveyDeps, peer: Peer): Promise<Sight> => {
  const startedMs = clock.monotonicMs()
  try {
    await within(clock, SMALL_MS, signal => peers.wallMs(peer, signal))
  } catch (thrown) {
    return { node: peer.name, tookMs: null, passesLarge: null, why: messageOf(thrown) }
  }
  const tookMs = clock.monotonicMs() - startedMs
  const passesLarge = await within(clock, LARGE_MS, signal => peers.echo(peer, LARGE_TEXT, signal)).then(
    text => text === LARGE_TEXT,
    () => false,
  )
  return { node: peer.name, tookMs: Math.round(tookMs * 10) / 10, passesLarge, why: null }
}

/** Ends what takes too long. */
export const within = async <Answer>(
  clock: Clock,
  timeoutMs: number,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> => {
  const deadline = new AbortController()
  const cancel = clock.after(timeoutMs, () => deadline.abort())
  try {
    return await ask(deadline.signal)
  } finally {
    cancel()
  }
}

/** Of the interface that has the address; null off Linux, and behind an address translation. */
const mtuOf = async (address: string): Promise<number | null> => {
  const named = Object.entries(networkInterfaces()).find(([, own]) =>
    (own ?? []).some(one => one.address === address),
  )
  // All of 127.0.0.0/8 is on the loopback interface, which lists one address of it.
  const name = named?.[0] ?? (address.startsWith('127.') ? 'lo' : null)
  if (name === null) return null
  const text = await readFile(join('/sys/class/net', name, 'mtu'), 'utf8').catch(() => '')
  const mtu = Number(text)
  return Number.isSafeInteger(mtu) && mtu > 0 ? mtu : null
}
