/** One list in any of the formats: tables for people, `{ apiVersion, items }` and its kin for programs. */
import type { API_VERSION } from '../../node/api/native/schema.ts'
import { escapeJson, escapeLine, isDangerous } from './escape.ts'
import type { Style } from './style.ts'
import { type Column, table } from './table.ts'

export const FORMATS = ['table', 'wide', 'json', 'jsonl', 'yaml', 'name'] as const
export type Format = (typeof FORMATS)[number]

const VERSION: typeof API_VERSION = 'tutti/v1'

export type ListView<Item> = {
  readonly items: readonly Item[]
  readonly columns: readonly Column<Item>[]
  /** The item's name, as another command takes it. */
  name(item: Item): string
  /** What a person reads instead of an empty table. */
  readonly empty: string
}

export type FormatOptions = {
  readonly format: Format
  readonly style: Style
  readonly widthMax?: number | undefined
  readonly hasHeader?: boolean
  readonly widths?: number[]
}

/** Without a final newline; empty for an empty list in `name` and `jsonl`, and in tables (where `empty` goes to stderr). */
export const formatList = async <Item>(view: ListView<Item>, options: FormatOptions): Promise<string> => {
  switch (options.format) {
    case 'table':
    case 'wide':
      return table(view.columns, view.items, {
        style: options.style,
        isWide: options.format === 'wide',
        hasHeader: options.hasHeader ?? true,
        ...(options.widths === undefined ? {} : { widths: options.widths }),
        ...(options.widthMax === undefined || options.format === 'wide'
          ? {}
          : { widthMax: options.widthMax }),
      }).join('\n')
    case 'json':
      return escapeJson(JSON.stringify({ apiVersion: VERSION, items: view.items }, null, 2))
    case 'jsonl':
      return view.items.map(item => escapeJson(JSON.stringify(item))).join('\n')
    case 'yaml':
      return yamlOf({ apiVersion: VERSION, items: view.items })
    case 'name':
      return view.items.map(item => escapeLine(view.name(item))).join('\n')
  }
}

/** YAML in which every hostile character is written as an escape inside double quotes. */
export const yamlOf = async (value: unknown): Promise<string> => {
  const { stringify } = await import('yaml')
  const plain = stringify(value, { lineWidth: 0 }).trimEnd()
  if (!isDangerous(plain)) return plain
  const quoted = { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' } as const
  return escapeJson(stringify(value, quoted).trimEnd())
}
