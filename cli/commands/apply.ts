/** `tutti apply`: workloads from a YAML or JSON file. Everything is checked before anything is written. */
import { readFile, stat } from 'node:fs/promises'
import { Failure, messageOf } from '../../node/errors.ts'
import type { Command, Session } from '../command.ts'
import { DEPLOY_TIMEOUT_MS, DETACH_OPTION, report, reportAndWait, type Written } from '../report.ts'
import { usage } from '../usage.ts'

const readInput = async (path: string, bytesMax: number, session: Session): Promise<string> => {
  if (path === '-') return session.terminal.readAll(bytesMax)
  try {
    const { size } = await stat(path)
    if (size > bytesMax) throw new Failure('E_TOO_LARGE', `${path} is larger than ${bytesMax} bytes`)
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT'
    throw usage(`${path} cannot be read`, { why: isMissing ? 'there is no such file' : messageOf(thrown) })
  }
}

export const command: Command = {
  arguments: [],
  options: [
    {
      flags: '-f, --file <path>',
      description: 'the file, or - for standard input (needed)',
      isRepeatable: true,
    },
    {
      flags: '--check-index <index>',
      description: 'refuse when a workload changed since (0: when it exists)',
    },
    { flags: '--dry-run', description: 'say what would change, and change nothing' },
    DETACH_OPTION,
  ],
  examples: [
    'tutti apply -f web.yaml',
    'cat web.yaml | tutti apply -f -',
    'tutti apply -f web.yaml --dry-run',
  ],
  timeoutMs: DEPLOY_TIMEOUT_MS,
  async run(call, session) {
    const files = call.flags.list('file')
    if (files.length === 0) throw usage('apply needs a file', { try: 'tutti apply -f web.yaml' })
    const { readWorkloads, WORKLOAD_BYTES_MAX } = await import('../workload-yaml.ts')
    const workloads = []
    for (const file of files) {
      const text = await readInput(file, WORKLOAD_BYTES_MAX, session)
      workloads.push(...readWorkloads(text, file === '-' ? 'stdin' : file))
    }
    const checkIndex = call.flags.whole('checkIndex')
    const isDryRun = call.flags.is('dryRun')
    const written: Written[] = []
    for (const { name, value } of workloads) {
      const result = await session.client.apply({
        spec: value,
        ...(checkIndex === null ? {} : { checkIndex }),
        ...(isDryRun ? { dryRun: true } : {}),
      })
      written.push({ name, result })
    }
    if (!isDryRun) return reportAndWait(written, call, session)
    await report(written, session)
    return 0
  },
}
