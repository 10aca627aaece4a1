/** No actor of a node program fails: a crash is a bug, whatever the network, the disk and the clocks do. */
import type { Check } from './checker.ts'

export const crashes: Check = fail => ({
  name: 'crashes',
  crashed: (machine, what) => fail(`on ${machine.id}: ${what}`),
})
