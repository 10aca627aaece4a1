/**
 * When a death that could be declared is declared. One node that dies is given up at once. Where many vanish at once, the
 * observer is the likelier culprit, so the leader doubts itself first; and where a whole zone vanishes, the cluster's policy
 * says how long its work waits for it. Keeps in memory since when that is so; a new leader begins anew.
 */
import { isHeard, type Verdict, type Witnessed } from './verdicts.ts'

export type Scene = {
  /** The leader. */
  readonly self: string
  /** The whole roster. */
  readonly nodes: readonly Witnessed[]
  readonly verdicts: readonly Verdict[]
  /** A majority follows the leader, and it has not stood still lately. */
  readonly isSound: boolean
  /** How long the work of a lost zone waits; null: for ever. */
  readonly zoneLossMs: number | null
  readonly nowMs: number
}

export type Braked = {
  readonly due: readonly Verdict[]
  /** By node id: why its death is not declared yet, as a phrase. */
  readonly held: ReadonlyMap<string, string>
}

/** More than this share of the nodes that were alive, and more than one node. */
const MASS_SHARE = 1 / 3
/** So long a leader that sees many vanish must have been sound without a break: its own trouble shows or ends by then. */
export const MASS_HOLD_MS = 5_000
/** Deaths that were declared so recently are of the same wave. */
const WAVE_MS = 3_000
/** Those that fell silent together are not heard again at the same moment: the last of them has so much longer than the first. */
export const RETURN_MS = 5_000
/** Unless the others were only late for a moment. */
const MOMENT_MS = 1_000
/** A zone of one node is a node. */
const ZONE_NODES_MIN = 2

export class Brake {
  #massSinceMs: number | null = null
  /** By zone, since when it is lost as a whole. */
  readonly #zones = new Map<string, number>()
  /** Deaths that were let through, and when. */
  readonly #declared = new Map<string, number>()
  /** Deaths that wait, and since when. */
  readonly #waiting = new Map<string, number>()
  /** Those among them whose companions are back, and until when they are waited for. */
  readonly #returning = new Map<string, number>()

  judge(scene: Scene): Braked {
    const { nodes, nowMs, verdicts } = scene
    for (const [id, atMs] of this.#declared) if (nowMs - atMs >= WAVE_MS) this.#declared.delete(id)
    const present = nodes.filter(({ id, state }) => state === 'alive' || this.#declared.has(id))
    const silent = new Set(
      present.filter(node => node.id !== scene.self && !isHeard(node)).map(({ id }) => id),
    )
    const lostZones = this.#lostZones(present, silent, nowMs)
    // A zone that was lost just now with others beside it explains nothing: it counts until its loss has lasted.
    const rest = present.filter(({ zone }) => {
      const lostMs = zone === null ? undefined : lostZones.get(zone)
      return lostMs === undefined || nowMs - lostMs < MASS_HOLD_MS
    })
    const mass = this.#mass(rest, silent, scene)
    this.#noteReturns(verdicts, nowMs)
    const due: Verdict[] = []
    const held = new Map<string, string>()
    for (const verdict of verdicts) {
      const zone = nodes.find(({ id }) => id === verdict.id)?.zone ?? null
      const lostMs = zone === null ? undefined : lostZones.get(zone)
      const hold = lostMs === undefined ? mass : holdOfZone(`${zone}`, lostMs, scene)
      const isTogether = lostMs !== undefined || this.#massSinceMs !== null
      const reason =
        verdict.state === 'alive' ? null : (hold ?? (isTogether ? null : this.#holdOfLast(verdict.id, nowMs)))
      if (reason !== null) held.set(verdict.id, reason)
      else due.push(lostMs === undefined ? verdict : withZone(verdict, `${zone}`))
    }
    for (const { id, state } of due) if (state === 'dead') this.#declared.set(id, nowMs)
    this.#remember(held, nowMs)
    return { due, held }
  }

  /** When one of those that wait is well again, by gossip or by Raft, the others are on their way too. */
  #noteReturns(verdicts: readonly Verdict[], nowMs: number): void {
    const accused = new Set(verdicts.filter(({ state }) => state === 'dead').map(({ id }) => id))
    if (![...this.#waiting.keys()].some(id => !accused.has(id))) return
    for (const [id, sinceMs] of this.#waiting)
      if (nowMs - sinceMs >= MOMENT_MS && !this.#returning.has(id)) this.#returning.set(id, nowMs + RETURN_MS)
  }

  #remember(held: ReadonlyMap<string, string>, nowMs: number): void {
    for (const id of held.keys()) if (!this.#waiting.has(id)) this.#waiting.set(id, nowMs)
    for (const id of this.#waiting.keys()) if (!held.has(id)) this.#waiting.delete(id)
    for (const id of this.#returning.keys()) if (!held.has(id)) this.#returning.delete(id)
  }

  /** Why one waits whose companions are heard again; null: it had none, or its time is over. */
  #holdOfLast(id: string, nowMs: number): string | null {
    const leftMs = (this.#returning.get(id) ?? nowMs) - nowMs
    return leftMs <= 0 ? null : `others that fell silent with it are back: it has ${seconds(leftMs)} more`
  }

  /** Zones of which nobody is heard while somebody of another one is, with the time since. */
  #lostZones(
    present: readonly Witnessed[],
    silent: ReadonlySet<string>,
    nowMs: number,
  ): ReadonlyMap<string, number> {
    const lost = new Map<string, number>()
    for (const [zone, own] of Map.groupBy(present, one => one.zone)) {
      if (zone === null || own.length < ZONE_NODES_MIN || !own.every(({ id }) => silent.has(id))) continue
      lost.set(zone, this.#zones.get(zone) ?? nowMs)
    }
    this.#zones.clear()
    for (const [zone, sinceMs] of lost) this.#zones.set(zone, sinceMs)
    return lost
  }

  /** Why deaths among these must wait; null: they need not. */
  #mass(
    present: readonly Witnessed[],
    silent: ReadonlySet<string>,
    { isSound, nowMs }: Scene,
  ): string | null {
    const count = present.filter(({ id }) => silent.has(id)).length
    if (count < 2 || count <= present.length * MASS_SHARE) {
      this.#massSinceMs = null
      return null
    }
    if (!isSound || this.#massSinceMs === null) this.#massSinceMs = nowMs
    const leftMs = this.#massSinceMs + MASS_HOLD_MS - nowMs
    return leftMs <= 0
      ? null
      : `${count} of ${present.length} nodes fell silent at once, so the leader doubts itself first, for ${seconds(leftMs)} more`
  }
}

const holdOfZone = (zone: string, sinceMs: number, { zoneLossMs, nowMs }: Scene): string | null => {
  if (zoneLossMs === null) return `zone ${zone} is lost as a whole: its work waits until it is back`
  const leftMs = sinceMs + zoneLossMs - nowMs
  return leftMs <= 0
    ? null
    : `zone ${zone} is lost as a whole: its work moves in ${seconds(leftMs)} unless it is back`
}

const withZone = (verdict: Verdict, zone: string): Verdict => ({
  ...verdict,
  reason: `${verdict.reason}; zone ${zone} is lost as a whole`,
})

const seconds = (ms: number): string => `${Math.ceil(ms / 1_000)} s`
