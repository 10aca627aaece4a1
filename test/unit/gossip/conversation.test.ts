/** Whole conversations as text, to be read in review. Re-record with `RECORD=1 node test/unit/gossip/conversation.test.ts`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fact, lan, type Message, type NodeId, type Rumor } from '../../../gossip/index.ts'
import { Cluster } from './cluster.ts'

const told = ({ member, by, isRefused }: Rumor): string =>
  `${member.id} ${member.state} ${member.incarnation}${by === member.id ? '' : ` by ${by}`}${isRefused ? ', refused' : ''}`

function viewed({ wantsReply, parts, told }: Message & { type: 'sync' }): string {
  if (parts === undefined) return wantsReply ? 'what do you all know?' : 'all I know'
  if (parts.some(([path]) => path === '')) return 'do you see what I see?'
  if (told !== undefined && told.length > 0) return 'here we differ'
  return parts.length > 0 ? 'where do we differ?' : 'this is what I know of it'
}

function spoken(message: Message): string {
  const rumors = message.rumors.length === 0 ? '' : `  (${message.rumors.map(told).join(', ')})`
  switch (message.type) {
    case 'ping-request':
      return `is ${message.target} there?${rumors}`
    case 'sync':
      return `${viewed(message)}${rumors}`
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

/** Plays `act` on a calm cluster, of three when nothing is said, and returns what was said and noted from then on. */
function transcript(act: (cluster: Cluster) => void, ids: readonly NodeId[] = ['a', 'b', 'c']): string {
  const lines: string[] = []
  const cluster = new Cluster(1, { ...lan(ids.length), syncIntervalMs: 60_000 })
  cluster.startAll(ids)
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

test('many eyes: each confirmation shortens the suspicion', () => {
  assertRecorded(
    'many-eyes',
    transcript(
      cluster => {
        cluster.kill('c')
        cluster.run(2_000)
      },
      ['a', 'b', 'c', 'd', 'e'],
    ),
  )
})

test('deaf: a node that hears nobody doubts itself and asks more slowly', () => {
  assertRecorded(
    'deaf',
    transcript(cluster => {
      cluster.mayPass = (_from, to) => to !== 'c'
      cluster.run(800)
      cluster.mayPass = () => true
      cluster.run(2_000)
    }),
  )
})

test('buddy: without pub/sub a suspect learns of it with the next message that it is sent', () => {
  assertRecorded(
    'buddy',
    transcript(cluster => {
      cluster.hasPubSub = false
      cluster.mayPass = (from, to) => !(from === 'c' || to === 'c')
      cluster.run(600)
      cluster.mayPass = () => true
      cluster.run(400)
    }),
  )
})

test('through a helper: a broken link between two is no death', () => {
  assertRecorded(
    'through-a-helper',
    transcript(cluster => {
      cluster.mayPass = (from, to) => !(['a', 'c'].includes(from) && ['a', 'c'].includes(to))
      cluster.run(1_000)
    }),
  )
})

test('hearsay: one reporter alone makes the others look for themselves', () => {
  assertRecorded(
    'hearsay',
    transcript(cluster => {
      const member = { ...cluster.node('c').swim.status().self, state: 'dead' } as const
      const message = { type: 'gossip', rumors: [{ member, by: 'b' }] } as const
      cluster.tell('a', { type: 'receive', from: 'b', message })
      cluster.run(400)
    }),
  )
})

test('reclaim: a dead member returns without memory, and goes beyond its former life', () => {
  assertRecorded(
    'reclaim',
    transcript(cluster => {
      cluster.kill('c')
      cluster.run(1_600)
      cluster.restart('c')
      cluster.run(300)
    }),
  )
})

test('hint: a closed connection is a reason to look, and no more', () => {
  assertRecorded(
    'hint',
    transcript(cluster => {
      cluster.tell('a', { type: 'peerDisconnected', id: 'c' })
      cluster.run(200)
    }),
  )
})

test('partition: both sides hold each other dead, and compare what they see when it has healed', () => {
  assertRecorded(
    'partition',
    transcript(cluster => {
      cluster.mayPass = (from, to) => (from === 'c') === (to === 'c')
      cluster.run(3_000)
      cluster.mayPass = () => true
      cluster.run(2_500)
    }),
  )
})

test('return: a node that left comes back above its farewell', () => {
  assertRecorded(
    'return',
    transcript(cluster => {
      cluster.tell('c', { type: 'leave' })
      cluster.run(300)
      cluster.tell('c', { type: 'start' })
      cluster.run(200)
    }),
  )
})

test.run()
