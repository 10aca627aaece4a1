/** `tutti zone-loss`: how long the work of a zone that is lost as a whole waits for it before it moves. */
import type { Command } from '../../command.ts'
import { parseDuration } from '../../output/time.ts'
import { report } from '../../report.ts'
import { usage } from '../../usage.ts'

export const command: Command = {
  arguments: [{ name: 'wait', description: 'a duration, or never', count: 'one' }],
  options: [],
  examples: [
    'tutti zone-loss 5m       (a switch that restarts moves nothing)',
    'tutti zone-loss 0s       (at once)',
    'tutti zone-loss never    (the work waits until the zone is back)',
  ],
  async run(call, session) {
    const [wait = ''] = call.args
    const waitMs = wait === 'never' ? null : parseDuration(wait)
    if (waitMs === null && wait !== 'never')
      throw usage(`"${wait}" is no duration`, { try: 'tutti zone-loss 30s · tutti zone-loss never' })
    await report([{ name: 'zone-loss', result: await session.client.setZoneLoss(waitMs) }], session)
    return 0
  },
}
