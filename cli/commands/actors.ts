/** `tutti actors`: the live actors of the answering node, as a tree. */
import type { ActorView } from '../../node/api/native/schema.ts'
import type { Command } from '../command.ts'
import { print } from '../list.ts'
import type { Column } from '../output/table.ts'

type Branch = ActorView & { readonly label: string }

/** Rows in tree order; each label is drawn with its place in the tree. Parents that are not listed are skipped over. */
export const treeOf = (actors: readonly ActorView[], isAscii: boolean): readonly Branch[] => {
  const sorted = [...actors].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const paths = new Set(sorted.map(actor => actor.path))
  const parentOf = (path: string): string | null => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (paths.has(path.slice(0, at))) return path.slice(0, at)
    }
    return null
  }
  const [last, middle, line] = isAscii ? ['`- ', '|- ', '|  '] : ['└─ ', '├─ ', '│  ']
  const rows: Branch[] = []
  const visit = (parent: string | null, indent: string): void => {
    const children = sorted.filter(actor => parentOf(actor.path) === parent)
    for (const [at, actor] of children.entries()) {
      const isLast = at === children.length - 1
      const name = parent === null ? actor.path : actor.path.slice(parent.length + 1)
      const mark = parent === null ? '' : isLast ? last : middle
      rows.push({ ...actor, label: `${indent}${mark}${name}` })
      visit(actor.path, parent === null ? '' : `${indent}${isLast ? '   ' : line}`)
    }
  }
  visit(null, '')
  return rows
}

const columns: readonly Column<Branch>[] = [
  { title: 'ACTOR', cell: actor => actor.label },
  { title: 'NODE', cell: actor => actor.node, isWide: true },
  { title: 'MAILBOX', cell: actor => `${actor.mailbox}/${actor.mailboxMax}` },
  { title: 'RECEIVED', cell: actor => actor.receivedCount },
  { title: 'DROPPED', cell: actor => actor.droppedCount },
  { title: 'RESTARTS', cell: actor => actor.restartCount },
  { title: 'LAST CRASH', cell: actor => actor.lastCrash, as: 'text' },
]

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti actors', 'tutti actors -o jsonl'],
  async run(_call, session) {
    const actors = await session.client.actors()
    const isTable = session.format === 'table' || session.format === 'wide'
    if (isTable) {
      const items = treeOf(actors, session.style.isAscii)
      await print({ items, columns, name: actor => actor.path, empty: 'no actors' }, session)
    } else {
      await print({ items: actors, columns: [], name: actor => actor.path, empty: 'no actors' }, session)
    }
    return 0
  },
}
