/** `tutti explain`: why a pod, workload or node is as it is, or what an error code means. */
import type { ExplainView } from '../../node/api/native/schema.ts'
import { nearest } from '../../node/api/nearest.ts'
import { ERRORS, type ErrorCode } from '../../node/errors.ts'
import type { Command, Session } from '../command.ts'
import { print } from '../list.ts'
import { errorCodes, meaningOf } from '../output/codes.ts'
import { escapeText } from '../output/escape.ts'
import { type Column, table } from '../output/table.ts'
import { clock } from '../output/time.ts'
import { usage } from '../usage.ts'

type Candidate = ExplainView['decisions'][number]['candidates'][number]

const partsText = (parts: Readonly<Record<string, number>>): string =>
  Object.entries(parts)
    .map(([name, part]) => `${name} ${part.toFixed(2)}`)
    .join(', ')

const columns: readonly Column<Candidate>[] = [
  { title: 'CANDIDATE', cell: candidate => candidate.name },
  { title: 'SCORE', cell: candidate => candidate.score?.toFixed(2) ?? null },
  { title: 'WHY', cell: candidate => candidate.refusal ?? partsText(candidate.parts), as: 'text' },
]

const isCode = (target: string): target is ErrorCode => Object.hasOwn(ERRORS, target)

const explainCode = async (code: ErrorCode, session: Session): Promise<void> => {
  const { means, try: advice } = meaningOf(code)
  const item = { code, means, try: advice, exit: ERRORS[code].exit, status: ERRORS[code].status }
  if (session.format !== 'table' && session.format !== 'wide') {
    await print({ items: [item], columns: [], name: each => each.code, empty: '' }, session)
    return
  }
  const lines = [
    `${code}  (exit ${item.exit}, HTTP ${item.status})`,
    means,
    ...(advice === null ? [] : [`try: ${advice}`]),
  ]
  await session.terminal.write(`${lines.join('\n')}\n`)
}

const show = async (view: ExplainView, session: Session): Promise<void> => {
  if (session.format !== 'table' && session.format !== 'wide') {
    await print({ items: [view], columns: [], name: each => each.target, empty: '' }, session)
    return
  }
  const lines = view.sentences.map(escapeText)
  for (const decision of view.decisions) {
    const head = `${decision.pod} → ${decision.node} at ${clock(decision.at)}, index ${decision.index}: ${decision.cause}`
    lines.push('', session.style.paint('bold', escapeText(head)))
    lines.push(
      escapeText(
        `strategy ${decision.strategy}, ${decision.consideredCount} ${decision.consideredCount === 1 ? 'node' : 'nodes'} considered, now ${decision.state}`,
      ),
    )
    const widthMax = session.terminal.columns()
    lines.push(
      ...table(columns, decision.candidates, {
        style: session.style,
        ...(widthMax === undefined ? {} : { widthMax }),
      }),
    )
  }
  await session.terminal.write(`${lines.join('\n')}\n`)
}

export const command: Command = {
  arguments: [
    {
      name: 'target',
      description: 'web, web.2, a pod id, node/ash, or E_…',
      count: 'one',
      completes: 'target',
    },
  ],
  options: [],
  examples: ['tutti explain web.2', 'tutti explain E_NO_QUORUM'],
  async run({ args: [target = ''] }, session) {
    if (isCode(target)) {
      await explainCode(target, session)
    } else if (target.startsWith('E_')) {
      const guess = nearest(target, errorCodes())
      throw usage(
        `there is no error code ${target}`,
        guess === null ? {} : { why: `did you mean ${guess}?`, try: `tutti explain ${guess}` },
      )
    } else {
      await show(await session.client.explain(target.replace(/^node\//, '')), session)
    }
    return 0
  },
}
