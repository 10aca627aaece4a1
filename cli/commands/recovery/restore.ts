/** `tutti restore`: makes a data directory of a backup, or proves that it could. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure } from '../../../node/errors.ts'
import { defaultDataDirectory } from '../../../node/paths.ts'
import type { Call, Command, Session } from '../../command.ts'
import { escapeLine } from '../../output/escape.ts'
import { bytes, elapsed } from '../../output/time.ts'

const read = (path: string): Promise<Buffer> =>
  readFile(path).catch((thrown: NodeJS.ErrnoException) => {
    throw new Failure('E_NOT_FOUND', {
      message: `the backup ${path} cannot be read`,
      why: thrown.message,
      try: 'tutti backup FILE makes one',
    })
  })

const verify = async (path: string, file: Buffer, session: Session): Promise<number> => {
  const [{ drill }, { systemClock }, { silentLog }] = await Promise.all([
    import('../../../node/recovery/drill.ts'),
    import('../../../node/clock.ts'),
    import('../../../node/log.ts'),
  ])
  const startedMs = performance.now()
  const drilled = await drill(path, file, { clock: systemClock(), random: Math.random, log: silentLog })
  const { header, nodes, workloads, podCount, tokenCount } = drilled
  const list = (names: readonly string[]): string =>
    names.length === 0 ? 'none' : `${names.length}  (${names.map(escapeLine).join(', ')})`
  const rows: readonly (readonly [string, string])[] = [
    ['cluster', `${escapeLine(header.clusterName)}  (${escapeLine(header.clusterId)})`],
    ['as of', `entry ${header.index}, term ${header.term}, epoch ${header.epoch}`],
    [
      'taken',
      `${new Date(header.takenAtMs).toISOString()} by ${escapeLine(header.takenBy)}, version ${escapeLine(header.version)}`,
    ],
    ['nodes', list(nodes)],
    ['workloads', list(workloads)],
    ['pods', String(podCount)],
    ['tokens', `${tokenCount}, and the key of the cluster`],
    ['state', `${bytes(header.bytes)}, digest ${header.digest}`],
  ]
  await session.terminal.write(
    rows.map(([key, text]) => `${session.style.paint('dim', key.padEnd(10))} ${text}\n`).join(''),
  )
  session.terminal.note(
    `${session.errorStyle.done} it restores: a node started from it and answered with the same state  ${elapsed(performance.now() - startedMs)}\n`,
  )
  return 0
}

const restore = async (path: string, file: Buffer, call: Call, session: Session): Promise<number> => {
  const [{ decodeBackup }, { restoreInto }, { nameOfMachine }, { silentLog }] = await Promise.all([
    import('../../../node/recovery/backup-file.ts'),
    import('../../../node/recovery/restore.ts'),
    import('../../../node/config.ts'),
    import('../../../node/log.ts'),
  ])
  const directory = resolve(call.flags.text('data') ?? defaultDataDirectory())
  const backup = decodeBackup(path, file)
  const restored = await restoreInto({
    directory,
    backup,
    name: call.flags.text('name'),
    nameOfMachine: nameOfMachine(),
    nowMs: Date.now(),
    log: silentLog,
  })
  const { clusterName, index } = backup.header
  const lines = [
    `${session.errorStyle.done} ${escapeLine(clusterName)} as of entry ${index} is in ${escapeLine(directory)}, with node ${escapeLine(restored.name)} as its only voter`,
    `   start it: tutti start --data ${escapeLine(directory)}`,
    '   workloads are placed again once it leads; nodes that do not come back are given up after some seconds',
    restored.isKnown
      ? '   the other nodes know this one: they rejoin by themselves, and give up what they have beyond the backup'
      : '   the other nodes do not know this one: on each, tutti repair --force --join HOST:PORT --token TOKEN',
  ]
  session.terminal.note(`${lines.join('\n')}\n`)
  return 0
}

export const command: Command = {
  arguments: [{ name: 'file', description: 'made by tutti backup', count: 'one' }],
  options: [
    {
      flags: '--verify',
      description: 'prove that it restores, in a temporary directory, and change nothing',
    },
    {
      flags: '--data <directory>',
      description: 'an unused directory; it may hold the identity.key of a node that the backup knows',
    },
    { flags: '--name <name>', description: 'the name of a node that the backup does not know' },
  ],
  examples: [
    'tutti restore --verify tutti.backup',
    'tutti restore tutti.backup --data /var/lib/tutti-restored',
  ],
  timeoutMs: 120_000,
  async run(call, session) {
    const path = resolve(call.args[0] ?? '')
    const file = await read(path)
    return call.flags.is('verify') ? verify(path, file, session) : restore(path, file, call, session)
  },
}
