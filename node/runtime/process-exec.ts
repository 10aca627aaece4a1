/** A command beside a running process, for health checks: same user, environment and working folder. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { Failure } from '../errors.ts'
import type { ProcessIdentity } from './process-identity.ts'

const OUTPUT_BYTES_MAX = 4_096
const SIGKILL_CODE = 137

/** What the run was started with; the supervisor still has it, also after a restart of the node. */
export const variablesOf = async ({ pid }: ProcessIdentity): Promise<Record<string, string>> => {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  const pairs = text.split('\0').filter(pair => pair.includes('='))
  return Object.fromEntries(
    pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

/** Runs one command in a group of its own. Throws E_TIMEOUT (it is killed then) and E_COMMAND_INVALID. */
export const execute = (
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string>; readonly timeoutMs: number },
): Promise<{ readonly exitCode: number; readonly output: string }> =>
  new Promise((done, failed) => {
    const [program = '', ...args] = command
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    let bytes = 0
    const collect = (chunk: Buffer) => {
      const kept = chunk.subarray(0, Math.max(0, OUTPUT_BYTES_MAX - bytes))
      bytes += kept.length
      if (kept.length > 0) chunks.push(kept)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const endGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It ended in the same moment, which is what was wanted.
      }
    }
    const deadline = setTimeout(() => {
      endGroup()
      failed(new Failure('E_TIMEOUT', `The command did not end within ${options.timeoutMs} ms.`))
    }, options.timeoutMs)
    child.once('error', error => {
      clearTimeout(deadline)
      failed(new Failure('E_COMMAND_INVALID', `The command ${program} cannot be run: ${error.message}`))
    })
    child.once('close', (code, signal) => {
      clearTimeout(deadline)
      done({
        exitCode: code ?? (signal === 'SIGKILL' ? SIGKILL_CODE : 1),
        output: Buffer.concat(chunks).toString(),
      })
    })
  })
