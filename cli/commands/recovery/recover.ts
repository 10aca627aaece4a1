/** `tutti recover`: after the quorum is lost for ever, founds the cluster anew from the most advanced log that is left. */
import type { RecoveryView, SurvivorView } from '../../../node/api/native/schema.ts'
import { Failure } from '../../../node/errors.ts'
import type { Command, Session } from '../../command.ts'
import { confirm, YES_OPTION } from '../../confirm.ts'
import { print } from '../../list.ts'
import { escapeLine, escapeText } from '../../output/escape.ts'
import type { Column } from '../../output/table.ts'
import { age } from '../../output/time.ts'

const stateOf = ({ raft, trouble, isMostAdvanced }: SurvivorView): string => {
  if (raft === null) return 'silent'
  if (trouble !== null) return 'failed'
  return isMostAdvanced ? 'most advanced' : 'alive'
}

const heard = (ageMs: number | null): string => (ageMs === null ? 'never' : `${age(ageMs)} ago`)

const columns: readonly Column<SurvivorView>[] = [
  { title: 'NODE', cell: one => one.node },
  { title: 'STATE', cell: one => stateOf(one), as: 'state' },
  { title: 'ROLE', cell: one => (one.isVoter ? 'voter' : 'learner') },
  { title: 'TERM', cell: one => one.raft?.lastTerm ?? null },
  { title: 'LAST', cell: one => one.raft?.lastIndex ?? null },
  { title: 'COMMIT', cell: one => one.raft?.commitIndex ?? null },
  { title: 'APPLIED', cell: one => one.raft?.appliedIndex ?? null },
  { title: 'SNAPSHOT', cell: one => one.raft?.snapshotIndex ?? null },
  { title: 'EPOCH', cell: one => one.raft?.epoch ?? null },
  { title: 'HEARD A LEADER', cell: one => (one.raft === null ? null : heard(one.raft.ageMs)) },
  { title: 'TROUBLE', cell: one => one.trouble, as: 'text' },
]

/** In plain words: what is kept, and what may not be. */
const prospect = ({ survivors, best }: RecoveryView): readonly string[] => {
  const chosen = survivors.find(one => one.node === best)?.raft
  if (best === null || chosen === null || chosen === undefined) return []
  const silent = survivors.filter(one => one.isVoter && one.raft === null).map(one => one.node)
  const { lastIndex, lastTerm, commitIndex } = chosen
  const first = commitIndex + 1
  const unknown =
    lastIndex === commitIndex
      ? []
      : [
          `  kept too     ${first === lastIndex ? `entry ${first}` : `entries ${first} to ${lastIndex}`}, of which nobody here knows whether they were committed`,
        ]
  return [
    `${best} has the most advanced log: it ends with entry ${lastIndex} of term ${lastTerm}, and heard a leader ${heard(chosen.ageMs)}.`,
    `  kept         names, tokens, workloads, and every container that runs`,
    ...unknown,
    `  may be lost  changes that ${silent.length === 0 ? 'the other voters' : silent.join(' and ')} acknowledged and ${best} never received`,
    `  discarded    what nodes that come back hold beyond this: they rejoin by themselves, and keep a copy of it beside`,
    `If the silent voters are only cut off and still work, they are a cluster too: do not recover, heal the network.`,
  ]
}

const show = async (view: RecoveryView, session: Session): Promise<void> => {
  if (session.format !== 'table' && session.format !== 'wide') {
    await print({ items: [view], columns: [], name: each => each.best ?? '', empty: '' }, session)
    return
  }
  await print({ items: view.survivors, columns, name: each => each.node, empty: 'no node answers' }, session)
  if (view.refusal !== null) return
  for (const line of prospect(view)) session.terminal.note(`${escapeText(line)}\n`)
}

export const command: Command = {
  arguments: [],
  options: [
    { flags: '--dry-run', description: 'show what is left and what would be lost, and change nothing' },
    YES_OPTION,
  ],
  examples: ['tutti recover --dry-run', 'tutti recover', 'tutti recover --yes'],
  timeoutMs: 120_000,
  async run(call, session) {
    const view = await session.client.recovery()
    await show(view, session)
    if (view.refusal !== null) throw new Failure('E_CONFLICT', view.refusal)
    if (call.flags.is('dryRun') || view.best === null) return 0
    const text = `the silent voters of this cluster are given up for ever; it is founded anew from ${view.best}`
    await confirm({ name: view.best, text }, call, session)
    const result = await session.client.with({ node: view.best }).recover()
    const kept = result.keptIn === null ? '' : `; what was there before: ${result.keptIn}`
    session.terminal.note(`${session.errorStyle.done} ${escapeLine(result.message + kept)}\n`)
    session.terminal.note('   nodes that come back rejoin by themselves; see them with tutti nodes\n')
    return 0
  },
}
