/** A data directory for the process runtime whose processes end with the test, however the test ends. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseStat, signalGroup } from '../../node/runtime/process-identity.ts'

export type ProcessSandbox = { readonly directory: string; close(): void }

export const makeProcessSandbox = (): ProcessSandbox => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-process-'))
  const clean = () => {
    for (const path of filesNamed(directory, 'started')) {
      const identity = parseStat(readFileSync(path, 'utf8'))
      if (identity !== null) signalGroup(identity, 'SIGKILL')
    }
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
  const onSignal = () => process.exit(1)
  process.on('exit', clean)
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    directory,
    close() {
      process.off('exit', clean)
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      clean()
    },
  }
}

const filesNamed = (directory: string, name: string): string[] => {
  try {
    const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    return entries.filter(entry => entry.endsWith(`/${name}`)).map(entry => join(directory, entry))
  } catch {
    return []
  }
}
