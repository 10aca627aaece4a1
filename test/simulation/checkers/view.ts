/** What a checker sees of the world. */
import type { Machine } from '../machine.ts'

export type View = {
  readonly machines: readonly Machine[]
  /** Nothing is wrong with any machine nor with the network, and all was as asked when that began. */
  readonly isCalm: boolean
  leader(): Machine | null
}
