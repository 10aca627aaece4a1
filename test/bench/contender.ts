/** What the Raft bench runs its one generator against: a cluster of three real processes with fsync on this machine. */

export type Contender = {
  /** `count` writers that stay connected, spread over the three nodes. */
  writers(count: number): Promise<Writers>
  /** The leader's position, once every node has all that the leader has. */
  settledLeader(): Promise<number>
  /** Of the processes that run. */
  pids(): readonly number[]
  /** kill -9. */
  kill(position: number): void
  /** Starts a killed one again. */
  revive(position: number): Promise<void>
  /** One new write to that node; rejects when it was not accepted. */
  writeOnce(position: number, signal: AbortSignal): Promise<void>
  /** Nothing is left of it afterwards, neither processes nor files. */
  stop(): Promise<void>
}

export type Writers = {
  /** Resolves once the write is accepted. A writer has one write under way. */
  write(writer: number, count: number): Promise<void>
  /** What is under way rejects. */
  close(): void
}

export const NODES = 3
export const VALUE_BYTES = 256

/** Each write's value differs from the one before. */
export const freshValue = (count: number): string => `${count}-`.padEnd(VALUE_BYTES, 'x')

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
