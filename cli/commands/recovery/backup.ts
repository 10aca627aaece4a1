/** `tutti backup`: the whole state of the cluster in one file that only its owner can read. */
import { dirname, resolve } from 'node:path'
import type { BackupHead, BackupLine } from '../../../node/api/native/schema.ts'
import { Failure } from '../../../node/errors.ts'
import type { Command } from '../../command.ts'
import { escapeLine } from '../../output/escape.ts'
import { bytes } from '../../output/time.ts'

/** All that comes, or E_UNREACHABLE: a backup that was cut short is none. */
const collect = async (
  lines: AsyncIterable<BackupLine>,
): Promise<{ readonly head: BackupHead; readonly state: Buffer }> => {
  let head: BackupHead | null = null
  const pieces: Buffer[] = []
  for await (const line of lines) {
    if (line.type === 'head') head = line
    else pieces.push(Buffer.from(line.base64, 'base64'))
  }
  const state = Buffer.concat(pieces)
  if (head !== null && state.byteLength === head.bytes) return { head, state }
  throw new Failure('E_UNREACHABLE', {
    message: 'the node ended its answer before the backup was complete; no file was written',
    try: 'the same command again',
  })
}

export const command: Command = {
  arguments: [
    { name: 'file', description: 'where to; CLUSTER-INDEX.tutti when not said', count: 'optional' },
  ],
  options: [
    {
      flags: '--stale',
      description: 'what this node has, without asking the others: works without a quorum',
    },
  ],
  examples: ['tutti backup', 'tutti backup /var/backups/tutti.backup', 'tutti backup --stale before.tutti'],
  timeoutMs: 120_000,
  async run(call, session) {
    const { head, state } = await collect(session.client.backup({ stale: call.flags.is('stale') }))
    const path = resolve(call.args[0] ?? `${head.clusterName}-${head.index}.tutti`)
    const [{ encodeBackup }, { replaceDurably }] = await Promise.all([
      import('../../../node/recovery/backup-file.ts'),
      import('../../../node/durable-file.ts'),
    ])
    const { type: _head, ...header } = head
    const file = encodeBackup({ header, state })
    await replaceDurably(path, file).catch((thrown: unknown) => {
      throw new Failure('E_DISK_FAILED', {
        message: `${path} cannot be written`,
        why: thrown instanceof Error ? thrown.message : String(thrown),
        try: `check ${dirname(path)}: it must exist, and be yours`,
      })
    })
    const { done } = session.errorStyle
    const size = bytes(file.byteLength)
    session.terminal.note(
      `${done} ${escapeLine(head.clusterName)} as of entry ${head.index} → ${escapeLine(path)}  (${size})\n` +
        '   it holds the key of the cluster: whoever reads it can let nodes in. Keep it as a secret\n' +
        `   prove it: tutti restore --verify ${escapeLine(path)}\n`,
    )
    if (session.format === 'name') await session.terminal.write(`${path}\n`)
    return 0
  },
}
