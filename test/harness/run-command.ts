/** Runs commands of this machine for tests; a failure names the command and what it printed. */
import { spawn, spawnSync } from 'node:child_process'

const OUTPUT_BYTES_MAX = 4 * 1024 * 1024

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Throws unless the command ends with 0. */
export const must = (command: string, args: readonly string[], input?: string | Buffer): string => {
  const done = spawnSync(command, args, {
    input,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: 60_000,
  })
  if (done.error !== undefined) throw new Error(`${command} could not be run: ${done.error.message}`)
  if (done.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${done.stderr.trim() || done.stdout.trim()} (${done.status})`,
    )
  return done.stdout
}

/** For cleaning up: whatever does not work is already gone. */
export const attempt = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0

/** Never throws for an exit code; rejects only when the program cannot be started. */
export const run = (
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly env?: NodeJS.ProcessEnv; readonly input?: string },
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? process.env })
    let stdout = ''
    let stderr = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs)
    child.stdout.on('data', chunk => {
      stdout = (stdout + chunk).slice(-OUTPUT_BYTES_MAX)
    })
    child.stderr.on('data', chunk => {
      stderr = (stderr + chunk).slice(-OUTPUT_BYTES_MAX)
    })
    child.on('error', reject)
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code: code ?? 137, stdout, stderr })
    })
    child.stdin.end(options.input ?? '')
  })

/** Asks again every `everyMs` until the answer is not null; the error tells what was waited for and what was seen last. */
export const until = async <T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | null> | T | null,
  seen: () => string = () => '',
  everyMs = 50,
): Promise<T> => {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (performance.now() > deadlineMs)
      throw new Error(`waited ${timeoutMs} ms in vain for: ${what}. ${seen()}`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}
