/** `tutti doctor`: the node's own checks, and whether it can be asked at all. */
import type { DoctorView } from '../../node/api/native/schema.ts'
import { Failure } from '../../node/errors.ts'
import type { Command, Session } from '../command.ts'
import { print } from '../list.ts'
import type { Column } from '../output/table.ts'

const columns: readonly Column<DoctorView>[] = [
  { title: 'CHECK', cell: check => check.check },
  { title: 'STATE', cell: check => check.state, as: 'state' },
  { title: 'FINDING', cell: check => check.text },
  { title: 'TRY', cell: check => check.try },
]

/** The checks that need no node: reaching one is the first. */
const examine = async (session: Session): Promise<readonly DoctorView[]> => {
  const started = performance.now()
  try {
    const checks = await session.client.doctor()
    const ms = Math.round(performance.now() - started)
    return [{ check: 'connection', state: 'ok', text: `the node answered in ${ms} ms`, try: null }, ...checks]
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== 'E_UNREACHABLE') throw thrown
    return [
      { check: 'connection', state: 'failure', text: thrown.why ?? thrown.message, try: thrown.hint ?? null },
      { check: 'node.js', state: 'ok', text: `${process.version} runs this program`, try: null },
    ]
  }
}

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti doctor'],
  async run(_call, session) {
    const items = await examine(session)
    await print({ items, columns, name: check => check.check, empty: 'nothing to check' }, session)
    return items.some(check => check.state === 'failure') ? 1 : 0
  },
}
