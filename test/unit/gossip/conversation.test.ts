/** Whole conversations as text, to be read in review. Re-record with `RECORD=1 node test/unit/gossip/conversation.test.ts`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fact, lan, type Message, type Rumor } from '../../../gossip/index.ts'
import { Cluster } from './cluster.ts'

const told = ({ member, by }: Rumor): string =>
  `${member.id} ${member.state} ${member.incarnation}${by === member.id ? '' : ` by ${by}`}`

function spoken(message: Message): string {
  const rumors = message.rumors.length === 0 ? '' : `  (${message.rumors.map(told).join(', ')})`
  switch (message.type) {
    case 'ping-request':
      return `is ${message.target} there?${rumors}`
    case 'sync':
      return `${message.wantsReply ? 'my view, and yours?' : 'my view'}${rumors}`
    case 'ping':
      return `are you there?${rumors}`
    case 'ack':
      return `yes${rumors}`
    case 'nack':
      return `no answer so far${rumors}`
    case 'gossip':
      return `have you heard?${rumors}`
  }
}

function happened(fact: Fact): string {
  switch (fact.type) {
    case 'member-alive':
      return `${fact.member.id} is alive (was ${fact.before ?? 'unknown'})`
    case 'member-changed':
      return `${fact.member.id} has changed`
    case 'member-suspect':
      return `${fact.member.id} is suspect, says ${fact.confirmedBy.join(', ') || 'hearsay'}`
    case 'suspicion-confirmed':
      return `${fact.member.id} is doubted by ${fact.confirmedBy.join(', ')}`
    case 'member-dead':
      return `${fact.member.id} is dead, say ${fact.confirmedBy.join(', ') || 'others'}`
    case 'member-left':
      return `${fact.member.id} has left`
    case 'self-refuted':
      return `I am not ${fact.claim}: life ${fact.incarnation}`
    case 'probe-failed':
      return `no answer from ${fact.id}, not even through ${fact.helpers.join(', ') || 'anybody'}`
    case 'awareness-changed':
      return `my own health is ${fact.score}`
    case 'joined':
      return `joined through ${fact.through}`
    case 'stalled':
      return `I stood still for ${Math.round(fact.lateMs)} ms`
    case 'member-expelled':
      return `${fact.id} is expelled`
    case 'self-expelled':
      return 'I am expelled'
    case 'stranger-vouched':
      return `${fact.by} vouches for ${fact.stranger.id}`
  }
}

/** Plays `act` on a calm three-node cluster and returns what was said and noted from then on. */
function transcript(act: (cluster: Cluster) => void): string {
  const lines: string[] = []
  const cluster = new Cluster(1, { ...lan(3), syncIntervalMs: 60_000 })
  cluster.startAll(['a', 'b', 'c'])
  cluster.run(4_000)
  const startMs = cluster.nowMs
  const note = (line: string) =>
    lines.push(`${String(Math.round(cluster.nowMs - startMs)).padStart(5)}  ${line}`)
  cluster.onSend = (from, to, message) => note(`${from} → ${to}  ${spoken(message)}`)
  cluster.onFact = (by, fact) => note(`${by}: ${happened(fact)}`)
  act(cluster)
  return `${lines.join('\n')}\n`
}

function assertRecorded(name: string, text: string): void {
  const path = fileURLToPath(new URL(`./transcripts/${name}.txt`, import.meta.url))
  if (process.env.RECORD !== undefined) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  assert.fixture(text, readFileSync(path, 'utf8'))
}

test('calm: every member is probed in turn and answers', () => {
  assertRecorded(
    'calm',
    transcript(cluster => cluster.run(1_000)),
  )
})

test('silent death: direct probe, helpers, suspicion, confirmation, verdict', () => {
  assertRecorded(
    'silent-death',
    transcript(cluster => {
      cluster.kill('c')
      cluster.run(2_500)
    }),
  )
})

test('crash: the transport knows first, so only the time to refute remains', () => {
  assertRecorded(
    'crash',
    transcript(cluster => {
      cluster.crash('c')
      cluster.run(1_000)
    }),
  )
})

test('refutation: a suspect hears of it, and answers with a new life', () => {
  assertRecorded(
    'refutation',
    transcript(cluster => {
      cluster.mayPass = (_from, to) => to !== 'c'
      cluster.run(900)
      cluster.mayPass = () => true
      cluster.run(600)
    }),
  )
})

test('leave: a farewell needs no probe', () => {
  assertRecorded(
    'leave',
    transcript(cluster => {
      cluster.tell('c', { type: 'leave' })
      cluster.run(500)
    }),
  )
})

test.run()
