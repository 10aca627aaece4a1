// Conversations between nodes, as scripts: `RECORD=1 node test/unit/raft/transcripts.test.ts` records them anew.
import { readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RaftConversation } from '../../harness/raft-conversation.ts'
import { playTranscript } from '../../harness/transcript.ts'

const folder = new URL('./transcripts/', import.meta.url)

const files = readdirSync(folder).filter(file => file.endsWith('.txt'))

test('there are conversations to play', () => {
  assert.ok(files.length > 0)
})

for (const file of files)
  test(`the conversation goes as written: ${file.replace('.txt', '').replaceAll('-', ' ')}`, () => {
    const conversation = new RaftConversation()
    const difference = playTranscript(new URL(file, folder).pathname, line => conversation.run(line))
    assert.is(difference, null, difference ?? '')
  })

test.run()
