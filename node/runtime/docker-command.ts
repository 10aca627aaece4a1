/**
 * Whether an image holds the command that a container is to run. The engine itself would tell at the start, but not
 * when its own init runs first: then a missing command is an exit code like any other.
 */
import type { Readable } from 'node:stream'
import { Failure } from '../errors.ts'
import { type Engine, isStatus } from './docker-client.ts'

const QUERY_DEADLINE_MS = 10_000
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Remembered answers; a node runs few different commands. */
const KNOWN_MAX = 1_000
const EXECUTE_BITS = 0o111
/** Bits that Go's file mode puts above the permissions. */
const MODE_SYMLINK = 2 ** 27
const MODE_FOLDER = 2 ** 31

export type CommandCheck = { assertRunnable(containerId: string): Promise<void> }

/** Asks once per image and command. `assertRunnable` throws E_COMMAND_INVALID; it takes a container not yet started. */
export const createCommandCheck = (engine: Engine): CommandCheck => {
  const known = new Set<string>()

  return {
    async assertRunnable(containerId) {
      const container = engine.docker.getContainer(containerId)
      const seen = await engine.call('describe a container', QUERY_DEADLINE_MS, abortSignal =>
        container.inspect({ abortSignal }),
      )
      const program = seen.Path
      const variable = seen.Config.Env?.find(entry => entry.startsWith('PATH='))
      const searchPath = variable?.slice('PATH='.length) ?? DEFAULT_PATH
      const answer = JSON.stringify([seen.Image, program, searchPath, seen.Config.WorkingDir])
      if (known.has(answer)) return
      const candidates = candidatesFor(program, searchPath, seen.Config.WorkingDir)
      const kinds: Kind[] = []
      for (const path of candidates) {
        const kind = await kindOf(engine, containerId, path)
        kinds.push(kind)
        if (kind === 'executable') break
      }
      if (!kinds.includes('executable')) throw invalid(program, candidates, kinds)
      if (known.size >= KNOWN_MAX) known.clear()
      known.add(answer)
    },
  }
}

type Kind = 'executable' | 'other' | 'absent'

const candidatesFor = (program: string, searchPath: string, workingFolder: string): string[] => {
  if (program.startsWith('/')) return [program]
  if (program.includes('/')) return [`${workingFolder || '/'}/${program}`]
  return searchPath.split(':').flatMap(folder => (folder === '' ? [] : [`${folder}/${program}`]))
}

const kindOf = async (engine: Engine, containerId: string, path: string): Promise<Kind> => {
  try {
    const answer = await engine.call('look for a file', QUERY_DEADLINE_MS, async abortSignal => {
      const stream = await engine.docker
        .getContainer(containerId)
        .infoArchive({ path, abortSignal } as { path: string })
      return stream as Readable & { headers: Record<string, string | undefined> }
    })
    answer.destroy()
    return kindOfMode(answer.headers['x-docker-container-path-stat'])
  } catch (thrown) {
    // 400: a part of the path is no folder.
    if (isStatus(thrown, 400, 404)) return 'absent'
    throw thrown
  }
}

/** What the answer does not tell is left for the start to find out. */
const kindOfMode = (header: string | undefined): Kind => {
  if (header === undefined) return 'executable'
  const { mode } = JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as { mode?: number }
  if (mode === undefined || Math.floor(mode / MODE_SYMLINK) % 2 === 1) return 'executable'
  if (mode >= MODE_FOLDER) return 'other'
  return (mode & EXECUTE_BITS) === 0 ? 'other' : 'executable'
}

const invalid = (program: string, candidates: readonly string[], kinds: readonly Kind[]): Failure => {
  const other = candidates[kinds.indexOf('other')]
  return new Failure('E_COMMAND_INVALID', {
    message: `The command ${program} is not in the image.`,
    why:
      other === undefined
        ? `it was looked for as ${candidates.join(', ')}`
        : `${other} is not an executable file`,
    try: 'check the command, or the image’s ENTRYPOINT and CMD',
  })
}
