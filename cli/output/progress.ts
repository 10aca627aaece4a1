/** One line per pod on stderr: redrawn in place on a terminal, one line per change otherwise. */
import type { PodView, WorkloadView } from '../../node/api/native/schema.ts'
import type { Terminal } from '../terminal.ts'
import { escapeLine } from './escape.ts'
import { podState } from './pod-state.ts'
import { type Style, toneOf } from './style.ts'
import { table } from './table.ts'
import { elapsed } from './time.ts'

const LINES_MAX = 20
const ENDED: ReadonlySet<string> = new Set(['stopped', 'lost', 'succeeded', 'failed'])

type Row = {
  readonly name: string
  readonly node: string | null
  readonly state: string
  readonly text: string
}

export class ProgressLines {
  readonly #terminal: Terminal
  readonly #style: Style
  readonly #changedMs = new Map<string, { readonly content: string; readonly ms: number }>()
  readonly #widths: number[] = []
  #drawnCount = 0

  constructor(terminal: Terminal, style: Style) {
    this.#terminal = terminal
    this.#style = style
  }

  show(workload: WorkloadView, pods: readonly PodView[], nowMs: number): void {
    const rows = rowsOf(workload, pods)
    const isFirst = this.#changedMs.size === 0
    const changed = rows.filter(row => this.#note(row, nowMs))
    if (this.#terminal.isErrorTTY) return this.#redraw(rows)
    // What was there before is not news.
    const news = isFirst ? changed.filter(row => toneOf(row.state) !== 'good') : changed
    for (const line of this.#lines(news)) this.#terminal.note(`${line}\n`)
  }

  /** Leaves the last lines standing and adds the summary. */
  finish(summary: string | null): void {
    this.#drawnCount = 0
    if (summary !== null) this.#terminal.note(`${summary}\n`)
  }

  #note(row: Row, ms: number): boolean {
    const content = `${row.node} ${row.state} ${row.text}`
    if (this.#changedMs.get(row.name)?.content === content) return false
    this.#changedMs.set(row.name, { content, ms })
    return true
  }

  #lines(rows: readonly Row[]): string[] {
    const shown = rows.slice(0, LINES_MAX)
    const lines = table(
      [
        { title: '', cell: row => row.state, as: 'state' },
        { title: '', cell: row => row.name },
        { title: '', cell: row => (row.node === null ? ' ' : `@${row.node}`) },
        { title: '', cell: row => elapsed(this.#changedMs.get(row.name)?.ms ?? 0) },
        { title: '', cell: row => row.text || ' ', as: 'text' },
      ],
      shown,
      {
        style: this.#style,
        hasHeader: false,
        widths: this.#widths,
        widthMax: (this.#terminal.columns() ?? 1000) - 2,
      },
    ).map(line => ` ${line}`)
    return rows.length > shown.length ? [...lines, `   and ${rows.length - shown.length} more`] : lines
  }

  #redraw(rows: readonly Row[]): void {
    const lines = this.#lines(rows)
    const back = this.#drawnCount === 0 ? '' : `\u001b[${this.#drawnCount}A\u001b[0J`
    this.#terminal.note(back + lines.map(line => `${line}\n`).join(''))
    this.#drawnCount = lines.length
  }
}

/** The pods that count now, then the slots that have none. */
const rowsOf = (workload: WorkloadView, pods: readonly PodView[]): Row[] => {
  const live = pods.filter(
    pod => pod.state !== 'pending' && (!ENDED.has(pod.state) || pod.generation === workload.generation),
  )
  const newest = new Map<string, PodView>()
  for (const pod of live) {
    const known = newest.get(pod.name)
    if (known === undefined || ENDED.has(known.state) || !ENDED.has(pod.state)) newest.set(pod.name, pod)
  }
  const rows = [...newest.values()]
    .filter(pod => pod.state !== 'stopped' && pod.state !== 'lost')
    .sort((a, b) => a.slot - b.slot)
    .map((pod): Row => {
      const isPlain = pod.state !== 'running' || pod.health === 'none' || pod.health === 'unknown'
      return {
        name: pod.name,
        node: pod.node,
        state: isPlain ? podState(pod) : pod.health,
        text: escapeLine(pod.reason ?? ''),
      }
    })
  const pending = workload.pending.map(
    (slot): Row => ({
      name: `${workload.name}.${slot.slot}`,
      node: null,
      state: 'pending',
      text: escapeLine(slot.reason),
    }),
  )
  return [...rows, ...pending]
}
