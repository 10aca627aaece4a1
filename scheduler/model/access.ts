/** Tokens and the cluster's own identity, as replicated state. */
import type { Labels } from './selector.ts'

/** `join` admits a node; `api` opens the HTTP API off the unix socket. */
export type TokenKind = 'join' | 'api'
export type Role = 'viewer' | 'operator' | 'admin'

/** What no role brings but admin: each is a way out of the role, so each is given by name. */
export type Grant = 'exec' | 'copy' | 'secrets' | 'chaos' | 'host-mounts'

export type Token = {
  /** Public part, shown in lists. */
  readonly id: string
  readonly kind: TokenKind
  /** SHA-256 of the secret, hex. The secret itself is never stored. */
  readonly secretHash: string
  /** For `api` tokens. */
  readonly role: Role
  /** Labels that a node joining with it receives. */
  readonly labels: Labels
  /** Uses left; null: unlimited (api tokens). 0: spent. */
  readonly usesLeft: number | null
  /** Milliseconds since the epoch; compared with the time inside the command, never a local clock. */
  readonly expiresAtMs: number
  readonly createdAtMs: number
  readonly revoked: boolean
  /** When it was revoked or lost its last use; null until then, and for one that merely expired. */
  readonly endedAtMs: number | null
  /** What people call it; not unique. */
  readonly name?: string
  /** For `api` tokens: nothing outside of it is seen or changed. Absent: the whole cluster. */
  readonly namespace?: string
  /** For `api` tokens: beyond the role. */
  readonly grants?: readonly Grant[]
}

export type Cluster = {
  readonly id: string
  readonly name: string
  /** Raw Ed25519 public key, base64; its hash is pinned in join tokens. */
  readonly publicKey: string
  /** How many nodes vote at most: one of VOTERS_MAX_CHOICES; absent: VOTERS_MAX_DEFAULT. */
  readonly votersMax?: number
  /** How long the work of a zone that is lost as a whole waits for it; null: for ever; absent: ZONE_LOSS_MS_DEFAULT. */
  readonly zoneLossMs?: number | null
  /** PKCS#8, base64. Every member holds it and can prove membership to a joiner; views never show it. */
  readonly privateKey: string
  readonly createdAtMs: number
}
