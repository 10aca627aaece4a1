/** Printing a list once, or again and again as it changes: the changed rows are added, nothing is redrawn. */
import { Failure } from '../node/errors.ts'
import type { Call, OptionSpec, Session } from './command.ts'
import { escapeLine } from './output/escape.ts'
import { type Format, formatList, type ListView } from './output/format.ts'

export const WATCH_OPTION: OptionSpec = {
  flags: '-w, --watch',
  description: 'keep running and add every change',
}

// Events come in bursts; one look at the list serves a burst.
const SETTLE_MS = 100

type ListSource<Item> = Omit<ListView<Item>, 'items'> & {
  fetch(): Promise<readonly Item[]>
  /** Throws when what was asked for does not exist; asked once, of the first answer. */
  check?(items: readonly Item[]): Promise<void> | void
}

/** Prints the list, and with `--watch` its changes until the signal aborts. */
export const showList = async <Item>(
  source: ListSource<Item>,
  call: Call,
  session: Session,
): Promise<number> => {
  const items = await source.fetch()
  await source.check?.(items)
  const widths: number[] = []
  const isWatch = call.flags.is('watch')
  const format: Format = isWatch && session.format === 'json' ? 'jsonl' : session.format
  await print({ ...source, items }, session, { format, widths, hasHeader: true })
  if (!isWatch) return 0
  let known = new Map(items.map(item => [keyOf(source, item), contentOf(item)]))
  for await (const _ of bursts(session)) {
    const now = await source.fetch()
    const changed = now.filter(item => known.get(keyOf(source, item)) !== contentOf(item))
    if (changed.length > 0)
      await print({ ...source, items: changed }, session, { format, widths, hasHeader: false })
    const keys = new Set(now.map(item => keyOf(source, item)))
    const gone = [...known.keys()].filter(key => !keys.has(key))
    if (gone.length > 0 && (format === 'table' || format === 'wide')) {
      await session.terminal.write(
        gone.map(key => `${escapeLine(key.split('\0')[0] ?? '')}  gone\n`).join(''),
      )
    }
    known = new Map(now.map(item => [keyOf(source, item), contentOf(item)]))
  }
  return 0
}

/** Prints what is there already. */
export const print = async <Item>(
  view: ListView<Item>,
  session: Session,
  options: { readonly format?: Format; readonly widths?: number[]; readonly hasHeader?: boolean } = {},
): Promise<void> => {
  const text = await formatList(view, {
    format: session.format,
    style: session.style,
    widthMax: session.terminal.columns(),
    ...options,
  })
  if (text !== '') await session.terminal.write(`${text}\n`)
  else if (session.format === 'table' || session.format === 'wide') session.terminal.note(`${view.empty}\n`)
}

/** The name, with the node of a pod: a pod's successor has the same name. */
const keyOf = <Item>(source: ListSource<Item>, item: Item): string => {
  const { id, node } = item as { readonly id?: string | null; readonly node?: string | null }
  return `${source.name(item)}${node == null ? '' : ` @${node}`}\0${id ?? ''}`
}

/** What is different at every look, and no news. */
const MOVING: ReadonlySet<string> = new Set([
  'ageMs',
  'probationMs',
  'lastWriteMs',
  'usualWriteMs',
  'worstWriteMs',
])

const contentOf = (item: unknown): string =>
  JSON.stringify(item, (key, value) => (MOVING.has(key) ? undefined : value))

/** One value for each burst of cluster events. */
async function* bursts(session: Session): AsyncGenerator<void> {
  let isDirty = false
  let ended: unknown = null
  let wake = (): void => {}
  const listen = async (): Promise<void> => {
    for await (const _ of session.client.events({ follow: true })) {
      isDirty = true
      wake()
    }
    throw new Failure('E_UNREACHABLE', 'the node ended the stream of events')
  }
  listen().catch(thrown => {
    ended = thrown
    wake()
  })
  for (;;) {
    if (!isDirty && ended === null)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    if (ended !== null) throw ended
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
    isDirty = false
    yield
  }
}
