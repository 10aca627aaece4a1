/** What every command's function is given, and the two ways it may end: events told, or a refusal and no change. */
import type { ClusterEvent, Refusal, RefusalCode } from '../commands.ts'

export type Step = {
  readonly index: number
  readonly atMs: number
  readonly events: ClusterEvent[]
}

/** Null when the command was applied. A function that returns a refusal has changed nothing. */
export type Verdict = Refusal | null

export const refuse = (code: RefusalCode, message: string, facts: Refusal['facts'] = {}): Refusal => ({
  code,
  message,
  facts,
})

export const tell = (step: Step, subject: string, verb: string, text = ''): void => {
  step.events.push({ index: step.index, atMs: step.atMs, subject, verb, text })
}
