/**
 * What is worth remembering and is no command (a backup that was taken, a login that failed) on its way to the log. What
 * strangers try is gathered and counted, so that however often they knock they write little.
 */
import { mayUse, NOTES_MAX, type NodeId, type Note } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

/** Equal attempts within this time are one note with a count. */
const GATHER_MS = 5_000
/** Notes of attempts that one node writes: that many at once, and one more after each pause. */
const TRIED_BURST = 30
const TRIED_PAUSE_MS = 30_000
/** Different attempts that wait; what does not fit is counted only. */
const WAITING_MAX = 24
/** Acts that wait for the log. They come from those who may do more harm than this, so the bound is for bugs. */
const ACTS_MAX = 1_000
const SUBMIT_TIMEOUT_MS = 10_000

export type Sighting = Omit<Note, 'seenAtMs'>

export type AuditNotes = { note(sighting: Sighting): void; stop(): void }

type Waiting = { readonly note: Note; count: number }

export type NotesDeps = {
  readonly node: { readonly id: string }
  readonly consensus: Pick<Consensus, 'state' | 'submit'>
  readonly clock: Clock
  readonly log: Log
}

export const createNotes = ({ node, consensus, clock, log }: NotesDeps): AuditNotes => {
  let acts: Note[] = []
  let leftOut = 0
  const waiting = new Map<string, Waiting>()
  let isBusy = false
  let isStopped = false
  let cancel: (() => void) | null = null
  /** When the allowance of notes about attempts will be whole again. */
  let wholeAtMs = 0

  const gather = (note: Note): void => {
    const key = [note.who, note.from, note.action, note.target, note.outcome].join('\n')
    const known = waiting.get(key)
    if (known !== undefined) known.count++
    else if (waiting.size < WAITING_MAX) waiting.set(key, { note, count: 1 })
    else leftOut++
  }

  /** Attempts for which there is an allowance now; the others go on waiting, and counting. */
  const takeAttempts = (max: number): readonly Note[] => {
    const nowMs = clock.monotonicMs()
    const owed = Math.ceil(Math.max(0, wholeAtMs - nowMs) / TRIED_PAUSE_MS)
    const taken = [...waiting].slice(0, Math.max(0, Math.min(max, TRIED_BURST - owed)))
    for (const [key] of taken) waiting.delete(key)
    wholeAtMs = Math.max(wholeAtMs, nowMs) + taken.length * TRIED_PAUSE_MS
    const notes = taken.map(([, { note, count }]) =>
      count === 1 ? note : { ...note, detail: counted(note, count) },
    )
    const last = notes.at(-1)
    if (leftOut === 0 || last === undefined) return notes
    const others = `${last.detail === '' ? '' : `${last.detail}; `}${leftOut} others are left out`
    leftOut = 0
    return [...notes.slice(0, -1), { ...last, detail: others }]
  }

  const forget = (): void => {
    acts = []
    waiting.clear()
  }

  const flush = async (): Promise<void> => {
    cancel = null
    if (isBusy || isStopped) return
    if (!mayUse(consensus.state(), 'audit')) return forget()
    const sent = acts.splice(0, NOTES_MAX)
    const notes = [...sent, ...takeAttempts(NOTES_MAX - sent.length)]
    if (notes.length > 0) {
      isBusy = true
      const command = { type: 'audit/Note', atMs: clock.wallMs(), node: node.id as NodeId, notes } as const
      await consensus.submit(command, { timeoutMs: SUBMIT_TIMEOUT_MS }).catch(thrown => {
        for (const note of notes) log.warn('not in the audit trail', { ...note, error: messageOf(thrown) })
      })
      isBusy = false
    }
    if (acts.length > 0) schedule(0)
    else if (waiting.size > 0) schedule(GATHER_MS)
  }

  const schedule = (delayMs: number): void => {
    if (isStopped) return
    cancel?.()
    cancel = clock.after(delayMs, () => void flush())
  }

  return {
    note(sighting) {
      const note = { ...sighting, seenAtMs: clock.wallMs() }
      log.info('seen', note)
      if (note.trail === 'tried') {
        gather(note)
        if (cancel === null && !isBusy) schedule(GATHER_MS)
        return
      }
      if (acts.length < ACTS_MAX) acts.push(note)
      if (!isBusy) schedule(0)
    },
    stop() {
      isStopped = true
      cancel?.()
      forget()
    },
  }
}

const counted = ({ detail }: Note, count: number): string =>
  `${detail === '' ? '' : `${detail}, `}${count} times`
