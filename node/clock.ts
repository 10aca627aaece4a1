/** Time as an injected dependency: the system's clock in production, a virtual one in simulation. */

export type Clock = {
  /** Milliseconds since the epoch. May jump. For people and for commands in the log, never for durations. */
  wallMs(): number
  /** Milliseconds since an arbitrary start. Never goes back. For durations and deadlines. */
  monotonicMs(): number
  /** Runs `action` once after `delayMs`; the returned function cancels it. Keeps no process alive on its own account. */
  after(delayMs: number, action: () => void): () => void
}

export const systemClock = (): Clock => ({
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    return () => clearTimeout(timer)
  },
})
