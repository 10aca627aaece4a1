/** Borderless tables: columns as wide as their widest cell, two spaces between, never cut unless a width is given. */
import { createRequire } from 'node:module'
import { stripVTControlCharacters } from 'node:util'
import { escapeLine } from './escape.ts'
import type { Style } from './style.ts'

export type Column<Row> = {
  readonly title: string
  /** What to show, unescaped and without colour; null shows `-`. */
  cell(row: Row): string | number | null
  /** `state`: a glyph and a colour by the word. `text`: may be cut to fit a terminal. */
  readonly as?: 'state' | 'text'
  /** Shown with `-o wide` only. */
  readonly isWide?: boolean
}

const GAP = '  '
const TEXT_WIDTH_MIN = 12

const require = createRequire(import.meta.url)
// Printable ASCII, Latin and the glyphs of style.ts are one column each; string-width is slow to load and only
// asked for the rest.
const NARROW = /^[\x20-\x7e\u00a1-\u02ff\u2026\u2500-\u25ff\u2714\u2717\u00b7]*$/

/** Columns that the text takes on a terminal, colours not counted. */
export const widthOf = (text: string): number => {
  const plain = stripVTControlCharacters(text)
  if (NARROW.test(plain)) return plain.length
  const stringWidth = (require('string-width') as { default: (text: string) => number }).default
  return stringWidth(plain)
}

export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)))

const cut = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  let kept = ''
  for (const character of text) {
    if (widthOf(kept + character) > width - 1) break
    kept += character
  }
  return `${kept}…`
}

export type TableOptions = {
  readonly style: Style
  readonly isWide?: boolean
  readonly hasHeader?: boolean
  /** Terminal columns; absent (a pipe) means nothing is ever cut. */
  readonly widthMax?: number
  /** Least widths, grown in place: rows that are added later line up with the earlier ones. */
  readonly widths?: number[]
}

/** The table as lines without a final newline; no rows give no lines at all. */
export const table = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions,
): string[] => {
  if (rows.length === 0) return []
  const { style } = options
  const shown = columns.filter(column => options.isWide === true || column.isWide !== true)
  const cells = rows.map(row =>
    shown.map(column => {
      const text = escapeLine(String(column.cell(row) ?? '-')) || '-'
      return column.as === 'state' && text !== '-' ? style.state(text) : text
    }),
  )
  const titles = options.hasHeader === false ? [] : [shown.map(column => style.paint('dim', column.title))]
  const lines = [...titles, ...cells]
  const widths = options.widths ?? []
  for (const at of shown.keys()) {
    widths[at] = Math.max(widths[at] ?? 0, ...lines.map(line => widthOf(line[at] ?? '')))
  }
  const total = widths.reduce((sum, width) => sum + width + GAP.length, 0) - GAP.length
  const flexible = shown.findIndex(column => column.as === 'text')
  if (options.widthMax !== undefined && total > options.widthMax && flexible !== -1) {
    const spare = (widths[flexible] ?? 0) - (total - options.widthMax)
    widths[flexible] = Math.max(TEXT_WIDTH_MIN, spare)
    for (const line of cells) line[flexible] = cut(line[flexible] ?? '', widths[flexible] ?? 0)
  }
  return lines.map(line =>
    line
      .map((cell, at) => (at === line.length - 1 ? cell : padEnd(cell, widths[at] ?? 0)))
      .join(GAP)
      .trimEnd(),
  )
}
