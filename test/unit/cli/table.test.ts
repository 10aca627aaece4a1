import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeStyle } from '../../../cli/output/style.ts'
import { type Column, table, widthOf } from '../../../cli/output/table.ts'

type Row = { readonly name: string; readonly state: string; readonly text: string | null }

const columns: readonly Column<Row>[] = [
  { title: 'NAME', cell: row => row.name },
  { title: 'STATE', cell: row => row.state, as: 'state' },
  { title: 'ID', cell: () => 'x', isWide: true },
  { title: 'REASON', cell: row => row.text, as: 'text' },
]
const plain = makeStyle({ hasColour: false, isAscii: false })
const rows: readonly Row[] = [
  { name: 'web.1', state: 'running', text: null },
  { name: 'web.10', state: 'failed', text: 'no such file: /usr/bin/a-very-long-name-that-goes-on' },
]

test('columns line up, without borders, and null is a dash', () => {
  assert.equal(table(columns, rows, { style: plain }), [
    'NAME    STATE      REASON',
    'web.1   ● running  -',
    'web.10  ✗ failed   no such file: /usr/bin/a-very-long-name-that-goes-on',
  ])
})

test('an empty list has no header', () => {
  assert.equal(table(columns, [], { style: plain }), [])
})

test('wide columns come only when asked for', () => {
  assert.match(table(columns, rows, { style: plain, isWide: true })[0] ?? '', /STATE\s+ID\s+REASON/)
})

test('on a terminal the text column is cut to fit, in a pipe nothing is', () => {
  const cut = table(columns, rows, { style: plain, widthMax: 40 })
  assert.ok(cut.every(line => widthOf(line) <= 40))
  assert.match(cut[2] ?? '', /…$/)
})

test('colour changes no width', () => {
  const coloured = table(columns, rows, { style: makeStyle({ hasColour: true, isAscii: false }) })
  assert.equal(coloured.map(widthOf), table(columns, rows, { style: plain }).map(widthOf))
  assert.ok(coloured[1]?.includes('\u001b['))
})

test('a state is a glyph and a word in ASCII too', () => {
  const ascii = table(columns, rows, { style: makeStyle({ hasColour: false, isAscii: true }) })
  assert.match(ascii[1] ?? '', /\* running/)
  assert.match(ascii[2] ?? '', /x failed/)
})

test('wide and combining characters count as the columns they take', () => {
  assert.is(widthOf('日本'), 4)
  assert.is(widthOf('e\u0301'), 1)
  assert.is(widthOf('\u001b[31mred\u001b[0m'), 3)
})

test('hostile cells are escaped', () => {
  const lines = table(columns, [{ name: 'a\u001b[2J', state: 'running', text: 'x\ny' }], { style: plain })
  assert.match(lines[1] ?? '', /a\\x1b\[2J\s+● running\s+x\\ny/)
})

test('rows that come later line up with the earlier ones', () => {
  const widths: number[] = []
  table(columns, rows, { style: plain, widths })
  const [later] = table(columns, [{ name: 'a', state: 'lost', text: 'b' }], {
    style: plain,
    widths,
    hasHeader: false,
  })
  assert.is(later, 'a       ✗ lost     b')
})

test.run()
