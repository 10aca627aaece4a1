/** Whether a join token admits a node, by the time inside the command and never a local clock. */
import type { Refusal } from '../commands.ts'
import type { Token } from '../model/access.ts'
import { refuse } from './step.ts'

/** Why a token admits nobody at this time; null when it does. The secret is judged first, so that nothing else leaks. */
export const judgeJoinToken = (
  token: Token | undefined,
  secretHash: string,
  atMs: number,
): Refusal | null => {
  if (token?.kind !== 'join' || token.secretHash !== secretHash)
    return refuse('E_JOIN_TOKEN_UNKNOWN', 'this cluster has not issued that join token')
  const facts = { token: token.id }
  if (token.revoked) return refuse('E_JOIN_TOKEN_REVOKED', `token ${token.id} was revoked`, facts)
  if (atMs >= token.expiresAtMs)
    return refuse('E_JOIN_TOKEN_EXPIRED', `token ${token.id} has expired`, {
      ...facts,
      expiredMsAgo: atMs - token.expiresAtMs,
    })
  if (token.usesLeft === 0) return refuse('E_JOIN_TOKEN_SPENT', `token ${token.id} has no use left`, facts)
  return null
}
