/** `tutti status`: the cluster at a glance, as the answering node sees it. */
import type { StatusView } from '../../node/api/native/schema.ts'
import type { Command, Session } from '../command.ts'
import { print } from '../list.ts'
import { escapeLine } from '../output/escape.ts'
import type { Style } from '../output/style.ts'
import { age } from '../output/time.ts'

const failures = (count: number): string => (count === 1 ? '1 failure' : `${count} failures`)

const UNFIT = {
  drained: 'drained',
  disk: 'its disk stood still',
  loop: 'its process stood still',
}

/** `a write takes 1.4 ms, at worst 31.5 ms; would rather not lead: its disk stood still` */
const diskText = ({ usualWriteMs, worstWriteMs, unfit }: StatusView, style: Style): string => {
  const takes =
    usualWriteMs === null || worstWriteMs === null
      ? 'nothing was written yet'
      : `a write takes ${usualWriteMs.toFixed(1)} ms, at worst ${worstWriteMs.toFixed(1)} ms`
  return unfit === null
    ? takes
    : `${takes} · ${style.paint('busy', `would rather not lead: ${UNFIT[unfit]}`)}`
}

const linesOf = (status: StatusView, style: Style): readonly (readonly [string, string])[] => {
  const quorum = status.hasQuorum
    ? `${style.state('ok')} · tolerates ${failures(status.toleratesCount)}`
    : `${style.state('lost')} · nothing can be decided; running containers keep running`
  const oldness =
    status.ageMs === null ? 'of unknown age' : status.ageMs === 0 ? 'current' : `${status.ageMs} ms old`
  return [
    ['cluster', `${escapeLine(status.cluster)}  (${escapeLine(status.clusterId)})`],
    [
      'node',
      `${escapeLine(status.node)}  up ${age(status.uptimeMs)}, runtime ${escapeLine(status.runtime)}, version ${escapeLine(status.version)}`,
    ],
    [
      'leader',
      `${status.leader === null ? style.state('none') : escapeLine(status.leader)}  term ${status.term}, index ${status.index}`,
    ],
    ['voters', status.voters.map(escapeLine).join(', ') || '-'],
    ['quorum', quorum],
    ['nodes', `${status.nodes.alive}/${status.nodes.total} alive`],
    ['pods', `${status.pods.healthy}/${status.pods.wanted} healthy`],
    ['reads', oldness],
    ['disk', diskText(status, style)],
  ]
}

const show = async (status: StatusView, session: Session): Promise<void> => {
  if (session.format === 'table' || session.format === 'wide') {
    const lines = linesOf(status, session.style).map(
      ([key, text]) => `${session.style.paint('dim', key.padEnd(8))} ${text}\n`,
    )
    await session.terminal.write(lines.join(''))
    return
  }
  await print({ items: [status], columns: [], name: each => each.node, empty: '' }, session)
}

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti status', 'tutti status -o json'],
  async run(_call, session) {
    await show(await session.client.status(), session)
    return 0
  },
}
