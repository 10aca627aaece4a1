/** `tutti logs`: what pods print, merged by time, each line behind the name of its pod and node. */
import type { LogView } from '../../node/api/native/schema.ts'
import type { Command, Session } from '../command.ts'
import { escapeJson, escapeLine, escapeLog } from '../output/escape.ts'
import type { Style } from '../output/style.ts'
import { padEnd, widthOf } from '../output/table.ts'
import { clock } from '../output/time.ts'
import { isMeant } from '../target.ts'

const PALETTE = ['cyan', 'yellow', 'magenta', 'green', 'blue', 'red'] as const

export type GutterOptions = {
  readonly style: Style
  readonly isRaw: boolean
  readonly hasTime: boolean
  /** Names of containers are told only where a pod has several. */
  readonly hasContainer: boolean
  readonly width: number
}

/** Makes lines for people; the gutter grows when a longer name comes and never shrinks. */
export const lineWriter = (options: GutterOptions): ((log: LogView) => string) => {
  const { style } = options
  let width = options.width
  const colours = new Map<string, (text: string) => string>()
  const colourOf = (name: string): ((text: string) => string) => {
    const known = colours.get(name)
    if (known !== undefined) return known
    const colour = PALETTE[colours.size % PALETTE.length] ?? 'cyan'
    const paint = (text: string): string => style.tint(colour, text)
    colours.set(name, paint)
    return paint
  }
  return log => {
    const container = options.hasContainer ? `/${log.container}` : ''
    const name = escapeLine(`${log.pod}${container}@${log.node}`)
    width = Math.max(width, widthOf(name))
    const time = options.hasTime ? `${clock(log.at)} ` : ''
    const gutter = colourOf(name)(`${padEnd(name, width)} ${style.gutter}`)
    if (log.stream === 'gap') return `${gutter} ${style.paint('dim', `${time}— ${escapeLine(log.line)} —`)}\n`
    const text = options.isRaw ? log.line : escapeLog(log.line, style.hasColour)
    return `${gutter} ${time}${text}\n`
  }
}

const gutterOf = async (
  target: string,
  session: Session,
): Promise<{ width: number; hasContainer: boolean }> => {
  const pods = (await session.client.pods()).filter(pod => pod.node !== null && isMeant(pod, target))
  const hasContainer = pods.some(pod => pod.containers.length > 1)
  const names = pods.flatMap(pod =>
    hasContainer
      ? pod.containers.map(each => `${pod.name}/${each.name}@${pod.node}`)
      : [`${pod.name}@${pod.node}`],
  )
  return { hasContainer, width: Math.max(0, ...names.map(name => widthOf(escapeLine(name)))) }
}

export const command: Command = {
  arguments: [{ name: 'target', description: 'web, web.2 or a pod id', count: 'one', completes: 'target' }],
  options: [
    { flags: '-f, --follow', description: 'keep running and add what is printed' },
    { flags: '--tail <lines>', description: 'so many lines from the end of each pod' },
    { flags: '-c, --container <name>', description: 'only this container' },
    { flags: '-t, --timestamps', description: 'the time before each line' },
    { flags: '--raw', description: 'the bytes as they are, control characters and all' },
  ],
  examples: ['tutti logs -f web', 'tutti logs web.2 --tail 20', 'tutti logs web -o jsonl'],
  isEndless: flags => flags.is('follow'),
  async run(call, session) {
    const [target = ''] = call.args
    const { flags } = call
    const isRaw = flags.is('raw')
    const isJson = session.format === 'json' || session.format === 'jsonl' || session.format === 'yaml'
    const isBare = session.format === 'name'
    const gutter = isJson || isBare ? { width: 0, hasContainer: false } : await gutterOf(target, session)
    const write = lineWriter({ style: session.style, isRaw, hasTime: flags.is('timestamps'), ...gutter })
    const logs = session.client.logs(target, {
      follow: flags.is('follow'),
      tail: flags.whole('tail'),
      container: flags.text('container'),
    })
    for await (const log of logs) {
      if (isJson) await session.terminal.write(`${escapeJson(JSON.stringify(log))}\n`)
      else if (!isBare) await session.terminal.write(write(log))
      else if (log.stream !== 'gap') {
        await session.terminal.write(`${isRaw ? log.line : escapeLog(log.line, session.style.hasColour)}\n`)
      }
    }
    return 0
  },
}
