/** Health checks on virtual containers: the answer comes after a moment of the machine's own time. */
import type { Prober } from '../../node/agent/prober.ts'
import type { Clock } from '../../node/clock.ts'
import type { FakeHost } from '../../node/runtime/fake-host.ts'

const ANSWER_MS = 3

export const virtualProber = (host: FakeHost, clock: Clock): Prober => ({
  probe: (_check, target) =>
    new Promise(resolve => {
      clock.after(ANSWER_MS, () => {
        const ok = host.isHealthy(target.key)
        resolve({ ok, text: ok ? 'healthy' : 'not healthy' })
      })
    }),
})
