/** `tutti scale`: how many pods are wanted. */
import type { Command } from '../command.ts'
import { DEPLOY_TIMEOUT_MS, DETACH_OPTION, reportAndWait, type Written } from '../report.ts'
import { usage } from '../usage.ts'

/** `web=5 db=2` or `web 5`. Throws E_USAGE. */
export const wishesOf = (args: readonly string[]): readonly (readonly [name: string, count: number])[] => {
  const [first, second] = args
  if (args.length === 2 && /^\d{1,6}$/.test(second ?? '') && first?.includes('=') === false)
    return [[first, Number(second)]]
  return args.map(wish => {
    const match = /^([^=]+)=(\d{1,6})$/.exec(wish)
    if (match === null)
      throw usage(`"${wish}" does not say how many`, { try: `tutti scale ${wish.split('=')[0] || 'web'}=5` })
    return [match[1] as string, Number(match[2])] as const
  })
}

export const command: Command = {
  arguments: [{ name: 'workload=count', description: 'such as web=5', count: 'many', completes: 'scaling' }],
  options: [DETACH_OPTION],
  examples: ['tutti scale web=5', 'tutti scale web=5 api=2 -d'],
  timeoutMs: DEPLOY_TIMEOUT_MS,
  async run(call, session) {
    const written: Written[] = []
    for (const [name, count] of wishesOf(call.args)) {
      written.push({ name, result: await session.client.scale(name, count) })
    }
    return reportAndWait(written, call, session)
  },
}
