// Installs the project's packages when they are missing or older than the lockfile. Plain JavaScript for old Nodes;
// `npm start`, `npm test` and `npm run check` call it first, so that a fresh clone needs no other command.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'node_modules', '.tutti-lock')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

const isInstalled = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
if (!isInstalled) {
  const startedMs = Date.now()
  process.stderr.write(' installing packages (first run only) …\n')
  // Not `npm ci`: it refuses a lockfile made where a registry lacks another platform's optional packages. Versions and
  // integrity still come from the lockfile, which is left as it is. Scripts of dependencies are not needed: none runs.
  const npm = spawnSync(
    'npm',
    ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  )
  if (npm.error !== undefined || npm.status !== 0) {
    const why = npm.error !== undefined ? npm.error.message : `npm install ended with status ${npm.status}`
    process.stderr.write(
      `error: the packages could not be installed\n  why: ${why}\n  try: npm install --ignore-scripts\n`,
    )
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
  process.stderr.write(` ✔ packages installed  ${((Date.now() - startedMs) / 1000).toFixed(1)}s\n`)
}
