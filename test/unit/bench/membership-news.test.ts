import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newsOf as newsOfSerf } from '../../bench/membership/serf.ts'
import { newsOf as newsOfTutti } from '../../bench/membership/tutti.ts'

const test = suite('what the membership bench reads from logs')

test('Serf tells of each member that joins or fails, and a probe that failed is no verdict', () => {
  const lines = [
    '    2026/11/24 17:23:29 [INFO] serf: EventMemberJoin: a2 10.78.0.2',
    '    2026/11/24 17:23:36 [INFO] memberlist: Suspect a2 has failed, no acks received',
    '    2026/11/24 17:23:39 [INFO] serf: EventMemberFailed: a2 10.78.0.2',
    '    2026/11/24 17:23:40 [INFO] agent: Received event: member-failed',
  ]
  assert.equal(lines.map(newsOfSerf), [
    { type: 'view', about: 'a2', state: 'alive' },
    null,
    { type: 'view', about: 'a2', state: 'dead' },
    null,
  ])
})

test('a node tells who it is, and what gossip thinks of the others', () => {
  const lines = [
    '   identity 12D3KooWA · runtime process · data /var/lib/tutti',
    '{"level":30,"time":1,"actor":"swim","member":"12D3KooWB","before":null,"incarnation":0,"msg":"member-alive"}',
    '{"level":30,"time":2,"actor":"swim","member":"12D3KooWB","incarnation":1,"msg":"member-suspect"}',
    '{"level":40,"time":3,"actor":"swim","member":"12D3KooWB","incarnation":1,"msg":"member-dead"}',
    '{"level":40,"time":4,"actor":"swim","lateMs":153.9,"msg":"stalled"}',
    ' Ctrl-C stops the node; its containers run on',
  ]
  assert.equal(lines.map(newsOfTutti), [
    { type: 'self', id: '12D3KooWA' },
    { type: 'view', about: '12D3KooWB', state: 'alive' },
    null,
    { type: 'view', about: '12D3KooWB', state: 'dead' },
    null,
    null,
  ])
})

test.run()
