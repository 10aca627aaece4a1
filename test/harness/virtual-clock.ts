/** A clock that moves only when told, for tests of time. */
import type { Clock } from '../../node/clock.ts'

export type VirtualClock = Clock & { advance(ms: number): void }

export const virtualClock = (startMs = 0): VirtualClock => {
  let nowMs = startMs
  let nextId = 0
  const timers = new Map<number, { readonly atMs: number; readonly action: () => void }>()
  return {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, action) {
      const id = nextId++
      timers.set(id, { atMs: nowMs + delayMs, action })
      return () => timers.delete(id)
    },
    advance(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        const due = [...timers]
          .filter(([, timer]) => timer.atMs <= untilMs)
          .sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0]
        if (due === undefined) break
        timers.delete(due[0])
        nowMs = Math.max(nowMs, due[1].atMs)
        due[1].action()
      }
      nowMs = untilMs
    },
  }
}
