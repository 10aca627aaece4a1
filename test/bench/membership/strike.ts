/** How an agent is harmed, how long it takes until all others know, and how it is mended. */
import { plug } from '../../harness/bridge.ts'
import { pause } from '../contender.ts'
import type { Agent } from './agent.ts'
import type { Fleet } from './fleet.ts'

/** `unplugged`: its machine vanishes without a word. */
export const STRIKES = ['kill -9', 'SIGSTOP', 'unplugged'] as const
export type Strike = (typeof STRIKES)[number]

export type Known = {
  /** Milliseconds until the last of the others held it dead. */
  readonly allMs: number
  /** Until a member had applied the leader's verdict; null where nobody passes one. */
  readonly decreeMs: number | null
}

const KNOWN_WITHIN_MS = 60_000
const MENDED_WITHIN_MS = 60_000
/** A program that does not find together by itself in this time is started anew. */
const PATIENCE_MS = 5_000
/** What was said of it dies down. */
const REST_MS = 1_500

/** The fleet is whole again afterwards. */
export const strike = async (fleet: Fleet, victim: Agent, how: Strike): Promise<Known> => {
  const controller = new AbortController()
  const decreed = fleet.program.decree?.(victim, fleet.otherThan(victim), controller.signal) ?? null
  // Its failure is told where it is waited for.
  decreed?.catch(() => undefined)
  await pause(REST_MS)
  fleet.harm(victim)
  const struckMs = performance.now()
  try {
    await HARM[how](victim)
    const allMs = await fleet.allHold(victim, 'dead', KNOWN_WITHIN_MS)
    const late = setTimeout(() => controller.abort(), KNOWN_WITHIN_MS)
    const decreeMs = await decreed?.finally(() => clearTimeout(late))
    return { allMs: allMs - struckMs, decreeMs: decreeMs === undefined ? null : decreeMs - struckMs }
  } finally {
    controller.abort()
    await mend(fleet, victim, how)
  }
}

const HARM: Readonly<Record<Strike, (victim: Agent) => Promise<void>>> = {
  'kill -9': victim => victim.kill(),
  SIGSTOP: async victim => victim.signal('SIGSTOP'),
  unplugged: async victim => plug(victim, false),
}

const mend = async (fleet: Fleet, victim: Agent, how: Strike): Promise<void> => {
  if (how === 'SIGSTOP') victim.signal('SIGCONT')
  if (how === 'unplugged') plug(victim, true)
  const isWhole =
    how !== 'kill -9' &&
    (await fleet.whole(PATIENCE_MS).then(
      () => true,
      () => false,
    ))
  if (!isWhole) {
    await victim.kill()
    fleet.resume(victim)
    await fleet.whole(MENDED_WITHIN_MS)
  }
  fleet.healed(victim)
}
