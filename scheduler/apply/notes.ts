/** What a node has seen at its doors and wants to be remembered. */
import { recordNote } from '../audit/record.ts'
import type { Command } from '../commands.ts'
import type { Tables } from '../tables.ts'
import { refuse, type Step, type Verdict } from './step.ts'

type TakeDown = Extract<Command, { type: 'audit/Note' }>

/** In one command; a node that sees more says how many it leaves out. */
export const NOTES_MAX = 32

export const takeDown = (
  tables: Tables,
  { node, notes }: TakeDown,
  step: Step,
  requestId: string,
): Verdict => {
  if (notes.length > NOTES_MAX)
    return refuse('E_INVALID', `at most ${NOTES_MAX} notes are taken down at once`, { notes: notes.length })
  for (const note of notes)
    if (note.trail !== 'done' && note.trail !== 'tried')
      return refuse('E_INVALID', 'a note belongs to one of the trails')
  for (const note of notes) recordNote(tables, note, { index: step.index, node, requestId })
  return null
}
