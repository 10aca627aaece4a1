/** The native API's shapes of who may do what, and who did. Types only, as schema.ts. */
import type { Grant, Role, TrailName } from '../../../scheduler/index.ts'

export type WhoamiView = {
  /** `local`, or `token/ID`. */
  readonly name: string
  readonly role: Role
  /** Null: bound to none. */
  readonly namespace: string | null
  readonly grants: readonly Grant[]
  readonly cluster: string
  readonly clusterId: string
  /** What tokens pin: the start of the hash of the cluster's key. */
  readonly clusterKey: string
}

export type AuditLine =
  /** A trail begins here, or anew: its next line carries the record `next`, which continues `anchor`; it ends with `head`. */
  | {
      readonly type: 'trail'
      readonly trail: TrailName
      readonly anchor: string
      readonly next: number
      readonly head: string
    }
  /** `hash` is the SHA-256 of the hash before it, a newline and `text`, the JSON of an AuditRecord. */
  | { readonly type: 'record'; readonly trail: TrailName; readonly hash: string; readonly text: string }

export type TokenView = {
  readonly id: string
  /** What people call it. */
  readonly name: string | null
  readonly kind: 'join' | 'api'
  readonly role: Role
  readonly namespace: string | null
  readonly grants: readonly Grant[]
  readonly usesLeft: number | null
  readonly expiresAt: string
  readonly state: 'valid' | 'expired' | 'spent' | 'revoked'
}

export type TokenRequest = {
  readonly kind: 'join' | 'api'
  readonly role?: Role
  /** Null: unlimited. Default 1 for join, null for api. */
  readonly uses?: number | null
  /** Default one hour for join, 24 hours for api. */
  readonly ttlMs?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly name?: string
  /** Of an api token: nothing outside of it is seen or changed. */
  readonly namespace?: string
  /** Of an api token of an operator: beyond its role. */
  readonly grants?: readonly Grant[]
}

export type TokenCreated = {
  readonly id: string
  readonly token: string
  readonly expiresAt: string
  readonly joinAddress: string
}
