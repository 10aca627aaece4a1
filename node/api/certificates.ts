/** This server's certificate: issued once the cluster's key is known, and anew when two thirds of its life are over. */
import type { Cluster } from '../../scheduler/index.ts'
import { type Issued, issue } from '../authority/authority.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'

/** Timers do not count the time that a machine sleeps, so it is looked at this often. */
const LOOK_EVERY_MS = 15 * 60_000

export type CertificateDeps = {
  cluster(): Cluster | null
  /** Calls after each change of the state; the returned function ends it. */
  subscribe(listener: () => void): () => void
  readonly name: string
  readonly hosts: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

/** Calls `use` with each certificate. New connections get the newest one, those that are open go on with theirs. */
export const keepCertificate = (deps: CertificateDeps, use: (issued: Issued) => void): { stop(): void } => {
  const { clock, log } = deps
  let current: Issued | null = null
  let cancel = (): void => undefined
  let unsubscribe = (): void => undefined

  const renewIfDue = (): void => {
    const cluster = deps.cluster()
    const nowMs = clock.wallMs()
    if (cluster === null || (current !== null && !isDue(current, nowMs))) return
    const { name, hosts } = deps
    current = issue(cluster, { name, hosts, nowMs })
    log.info('certificate issued', { until: new Date(current.untilMs).toISOString() })
    unsubscribe()
    use(current)
  }

  const look = (): void => {
    renewIfDue()
    const leftMs = current === null ? LOOK_EVERY_MS : dueMs(current) - clock.wallMs()
    cancel = clock.after(Math.min(LOOK_EVERY_MS, Math.max(1_000, leftMs)), look)
  }

  unsubscribe = deps.subscribe(renewIfDue)
  look()
  return {
    stop() {
      cancel()
      unsubscribe()
    },
  }
}

const dueMs = ({ fromMs, untilMs }: Issued): number => fromMs + (2 * (untilMs - fromMs)) / 3

/** Also when the clock has been put back to before it was valid. */
const isDue = (issued: Issued, nowMs: number): boolean => nowMs >= dueMs(issued) || nowMs < issued.fromMs
