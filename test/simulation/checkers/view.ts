/** What a checker sees at the end: the machines, and who leads. */
import type { Machine } from '../machine.ts'

export type View = {
  readonly machines: readonly Machine[]
  leader(): Machine | null
}
