/** Asks a few peers for the time now and then, so that this node knows how far its clock is from theirs. */
import type { PeerApi } from './api/proxy.ts'
import type { Clock } from './clock.ts'
import { ClockOffsets } from './clock-offset.ts'

export type ClockWatch = {
  /** By how much the own clock is ahead of the peers'; null: not known. */
  skewMs(): number | null
  stop(): void
}

export type ClockWatchOptions = {
  readonly peers: Pick<PeerApi, 'wallMs'>
  /** Admitted peers with a connection that is kept anyway: nobody is dialled for this, and none held on to. */
  readonly connected: () => ReadonlySet<string>
  readonly clock: Clock
  readonly random: () => number
}

const FIRST_MS = 2_000
const ROUND_MS = 30_000
const ASKED_MAX = 5
const ANSWER_MS = 2_000

export const watchClocks = ({ peers, connected, clock, random }: ClockWatchOptions): ClockWatch => {
  const offsets = new ClockOffsets()
  let isOver = false

  const ask = async (peer: string): Promise<void> => {
    const deadline = new AbortController()
    const cancel = clock.after(ANSWER_MS, () => deadline.abort())
    const [sentAtMs, startedMs] = [clock.wallMs(), clock.monotonicMs()]
    try {
      const theirsMs = await peers.wallMs({ id: peer, name: peer }, deadline.signal)
      const monotonicMs = clock.monotonicMs()
      const tookMs = monotonicMs - startedMs
      offsets.note(peer, { sentAtMs, gotAtMs: clock.wallMs(), theirsMs, tookMs, monotonicMs })
    } catch {
      // Whoever does not answer is another's matter.
    } finally {
      cancel()
    }
  }

  const round = (): void => {
    if (isOver) return
    const present = connected()
    offsets.keepOnly(present)
    const asked = [...present].map(peer => ({ peer, order: random() }))
    asked.sort((left, right) => left.order - right.order)
    for (const { peer } of asked.slice(0, ASKED_MAX)) void ask(peer)
    clock.after(ROUND_MS, round)
  }
  clock.after(FIRST_MS, round)
  return {
    skewMs: () => offsets.skewMs(clock.monotonicMs()),
    stop() {
      isOver = true
    },
  }
}
