/**
 * Runs test files under uvu, each in a process of its own with a deadline, and prints `N passed, N failed` last.
 * Refuses to succeed when no file or no test was found. `node test/run.ts [--jobs N] [PATTERN…]` runs the files
 * whose path contains a pattern.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OUTPUT_BYTES_MAX = 256 * 1024
/** Seconds a file may take before it counts as failed; slow suites state their own. */
const DEADLINE_SECONDS_DEFAULT = 120
const DEADLINES_SECONDS: Readonly<Record<string, number>> = {
  'test/simulation': 900,
  'test/chaos': 600,
  'test/cli': 240,
  'test/contract': 240,
}
/** Folders whose files use machine-wide resources (engines, namespaces, loopback addresses) and run one at a time. */
const ALONE = ['test/chaos', 'test/cli', 'test/contract']

type Result = {
  readonly file: string
  readonly passed: number
  readonly failed: number
  readonly seconds: number
  readonly output: string
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path)
    return entry.name.endsWith('.test.ts') ? [relative(ROOT, path)] : []
  })

const deadlineOf = (file: string): number =>
  Object.entries(DEADLINES_SECONDS).find(([prefix]) => file.startsWith(prefix))?.[1] ??
  DEADLINE_SECONDS_DEFAULT

const countIn = (output: string, word: 'Total' | 'Passed'): number =>
  [...output.matchAll(new RegExp(`^\\s*${word}:\\s+(\\d+)`, 'gm'))].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  )

/** A file that prints no count, ends with an error beside its tests, or outlives its deadline has one more failure. */
const runFile = (file: string): Promise<Result> =>
  new Promise(resolve => {
    const startedMs = performance.now()
    const deadline = deadlineOf(file)
    const child = spawn(process.execPath, ['--no-warnings', join(ROOT, file)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1', TUTTI_TEST_RUNNER: '1' },
      detached: true,
    })
    let output = ''
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_BYTES_MAX)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const timer = setTimeout(() => {
      output += `\nthe file did not end within ${deadline} s\n`
      // First politely, so that the file can clean up what it started; then the whole process group.
      child.kill('SIGTERM')
      setTimeout(
        () => child.pid !== undefined && child.exitCode === null && process.kill(-child.pid, 'SIGKILL'),
        15_000,
      ).unref()
    }, deadline * 1_000)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const total = countIn(output, 'Total')
      const passed = countIn(output, 'Passed')
      const hasOwnFailure = total === 0 || (total === passed && (code !== 0 || signal !== null))
      resolve({
        file,
        passed,
        failed: total - passed + (hasOwnFailure ? 1 : 0),
        seconds: (performance.now() - startedMs) / 1_000,
        output: total === 0 ? `${output}\nthe file ran no test (does it end with test.run()?)\n` : output,
      })
    })
  })

const report = (result: Result): void => {
  const mark = result.failed === 0 ? '✔' : '✗'
  console.log(
    `${mark} ${result.file}  ${result.passed} passed, ${result.failed} failed  ${result.seconds.toFixed(1)} s`,
  )
  if (result.failed > 0) console.log(result.output.replace(/^/gm, '    '))
}

const runAll = async (files: readonly string[], jobs: number): Promise<Result[]> => {
  const results: Result[] = []
  const together = files.filter(file => !ALONE.some(prefix => file.startsWith(prefix)))
  const queue = [...together]
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runFile(file)
      results.push(result)
      report(result)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  for (const file of files.filter(name => !together.includes(name))) {
    const result = await runFile(file)
    results.push(result)
    report(result)
  }
  return results
}

const main = async (): Promise<void> => {
  const args = process.argv.slice(2)
  const jobsAt = args.indexOf('--jobs')
  const jobs = jobsAt < 0 ? availableParallelism() : Number(args[jobsAt + 1])
  const patterns = args.filter(
    (_, position) => jobsAt < 0 || (position !== jobsAt && position !== jobsAt + 1),
  )
  const files = filesBelow(join(ROOT, 'test'))
    .filter(file => patterns.length === 0 || patterns.some(pattern => file.includes(pattern)))
    .sort()
  const results = await runAll(files, jobs)
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failed = results.reduce((sum, result) => sum + result.failed, 0)
  if (passed + failed === 0) console.error('no test was found, so nothing is proven')
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed === 0 && passed > 0 ? 0 : 1)
}

await main()
