/** A program whose agents keep track of each other: what the bench needs to know of it. */
import type { Agent, Launch } from './agent.ts'

/** What an agent's log tells: who it is itself, or what it thinks of another. One that is only suspected counts as alive. */
export type News =
  | { readonly type: 'self'; readonly id: string }
  | { readonly type: 'view'; readonly about: string; readonly state: 'alive' | 'dead' }

export type Program = {
  readonly name: string
  /** Newcomers that may be started together. */
  readonly joinersMax: number
  /** How the first agent is started. */
  found(agent: Agent): Launch
  /** How another one is, to join through a running one. */
  join(agent: Agent, seed: Agent): Promise<Launch>
  /** How one that was killed is, on the disk that it left. */
  resume(agent: Agent, seed: Agent): Launch
  /** Reads a line of an agent's output; null: nothing about members. */
  news(line: string): News | null
  /** Milliseconds on the bench's clock when all have to take `about` for dead by decree; null: there is no such thing. */
  decree: ((about: Agent, witness: Agent, signal: AbortSignal) => Promise<number>) | null
}
