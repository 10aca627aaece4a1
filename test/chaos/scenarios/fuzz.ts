/** A million malformed frames, tokens, calls and rumours. The test suite sends some thousands. */
import { fuzz as attack } from '../fuzz/fuzz.ts'
import { type Effort, timed } from './effort.ts'

export const fuzz = async ({ count, seed }: Pick<Effort, 'count' | 'seed'>): Promise<void> => {
  await timed(`${count} broken messages, seed ${seed}`, async () => {
    const { countOf, grownBytes } = await attack({ count, seed })
    for (const [kind, sent] of Object.entries(countOf)) console.log(`  ${kind}: ${sent}`)
    console.log(`  the heap grew by ${(grownBytes / 1024 / 1024).toFixed(1)} MiB`)
  })
}
