import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runLinear } from './scenarios/linear.ts'

const SECONDS = 30

test('what clients see of five nodes that are killed, paused and cut off is linearizable', async () => {
  const told: string[] = []
  const result = await runLinear({ seconds: SECONDS, clients: 16, seed: 3, tell: line => told.push(line) })
  const seen = told.join('\n')
  assert.equal(result.verdict.type, 'linearizable', `${seen}\n${JSON.stringify(result.verdict)}`)
  assert.equal(result.lost, [], seen)
  assert.ok(result.counts.done > 500, `only ${result.counts.done} operations were done\n${seen}`)
  assert.ok(result.faults.size >= 3, seen)
})

test.run()
