/** `tutti repair`: a stopped node with a damaged log gets the state anew from the others, and keeps its name and its work. */
import { resolve } from 'node:path'
import { defaultDataDirectory } from '../../../node/paths.ts'
import type { Command } from '../../command.ts'
import { joinTokenOf } from '../../join-token.ts'
import { escapeLine } from '../../output/escape.ts'
import { usage } from '../../usage.ts'

export const command: Command = {
  arguments: [],
  options: [
    { flags: '--data <directory>', description: 'the data directory of the stopped node' },
    { flags: '--join <address>', description: 'HOST:PORT of a member that this node may not know' },
    {
      flags: '--token <token>',
      description: 'a join token of that cluster, file:PATH, or - for standard input (or TUTTI_TOKEN)',
    },
    { flags: '--force', description: 'give up a log that shows no damage' },
  ],
  examples: [
    'tutti repair',
    'tutti repair --data /var/lib/tutti',
    'tutti repair --force --join 10.0.0.11:7701 --token file:/run/token',
  ],
  timeoutMs: 120_000,
  async run(call, session) {
    const { flags } = call
    const directory = resolve(flags.text('data') ?? defaultDataDirectory())
    const address = flags.text('join')
    const token = address === null ? null : await joinTokenOf(call, session)
    if (address !== null && token === null)
      throw usage('--join needs a token, which tells the right cluster from a wrong one', {
        try: 'on that member: tutti token create',
      })
    const [{ repairNode }, { systemClock }, { silentLog }] = await Promise.all([
      import('../../../node/recovery/repair.ts'),
      import('../../../node/clock.ts'),
      import('../../../node/log.ts'),
    ])
    const repaired = await repairNode({
      directory,
      isForced: flags.is('force'),
      seed: address === null || token === null ? null : { address, token },
      clock: systemClock(),
      log: silentLog,
    })
    session.terminal.note(
      `${session.errorStyle.done} ${escapeLine(repaired.name)} has the state as of entry ${repaired.index}; the cluster has let it in anew\n` +
        `   found: ${escapeLine(repaired.damage)}\n` +
        `   what was there: ${escapeLine(repaired.keptIn)}\n` +
        `   start it: tutti start --data ${escapeLine(directory)}\n`,
    )
    return 0
  },
}
