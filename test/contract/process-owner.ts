/** A node program in miniature for the survival test: starts one container, says so, and waits to be killed. */
import { systemClock } from '../../node/clock.ts'
import { silentLog } from '../../node/log.ts'
import { createProcessRuntime } from '../../node/runtime/process.ts'
import { makeRun } from './runtime-suite.ts'

const [directory = '', ...command] = process.argv.slice(2)
const owner = { cluster: 'survival', node: 'ash' }
const environment = { PATH: process.env.PATH }
const runtime = createProcessRuntime({ owner, directory, environment, clock: systemClock(), log: silentLog })
const { key, runtimeId } = await runtime.start(makeRun(owner, null, command))
process.stdout.write(`${JSON.stringify({ key, runtimeId })}\n`)
setInterval(() => undefined, 60_000)
