/** An operator's word about a node's health weighs more than what was measured, for a while. */
import type { Node } from './model/node.ts'

/** Long enough to see whether the repair has helped; an ailing node may be drained anew afterwards. */
export const TRUST_MS = 3_600_000

/** Whether an operator has undone a drain of it so recently that the leader must not drain it again. */
export const isTrusted = ({ trustedAtMs }: Pick<Node, 'trustedAtMs'>, nowMs: number): boolean =>
  trustedAtMs !== undefined && Math.abs(nowMs - trustedAtMs) < TRUST_MS
