/** `tutti events`: what the log made happen, each with the index that caused it. */
import type { EventView } from '../../node/api/native/schema.ts'
import type { Command } from '../command.ts'
import { print } from '../list.ts'
import type { Format } from '../output/format.ts'
import type { Column } from '../output/table.ts'
import { clock } from '../output/time.ts'

const columns: readonly Column<EventView>[] = [
  { title: 'TIME', cell: event => clock(event.at) },
  { title: 'INDEX', cell: event => event.index },
  { title: 'SUBJECT', cell: event => event.subject },
  { title: 'WHAT', cell: event => event.verb, as: 'state' },
  { title: 'TEXT', cell: event => event.text || ' ', as: 'text' },
]

const view = { columns, name: (event: EventView): string => event.subject, empty: 'no events' }

export const command: Command = {
  arguments: [],
  options: [
    { flags: '-f, --follow', description: 'keep running and add what happens' },
    { flags: '--from <index>', description: 'from this log index on' },
  ],
  examples: ['tutti events -f', 'tutti events --from 200 -o jsonl'],
  isEndless: flags => flags.is('follow'),
  async run(call, session) {
    const from = call.flags.whole('from')
    const isFollow = call.flags.is('follow')
    const events = session.client.events({ follow: isFollow, ...(from === null ? {} : { from }) })
    if (!isFollow) {
      const items: EventView[] = []
      for await (const event of events) items.push(event)
      await print({ ...view, items }, session)
      return 0
    }
    const format: Format = session.format === 'json' ? 'jsonl' : session.format
    const widths = [10, 5, 14, 12]
    let hasHeader = true
    for await (const event of events) {
      await print({ ...view, items: [event] }, session, { format, widths, hasHeader })
      hasHeader = false
    }
    return 0
  },
}
