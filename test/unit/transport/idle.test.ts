// Connections that are not kept are let go at rest, and never in use.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { IDLE_MS_MAX, Idle, RESTING_MS } from '../../../node/transport/idle.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

const LOOKS_MS = 20_000

const idleOf = (...peers: readonly string[]) => {
  const clock = virtualClock()
  const open = new Map(peers.map(peer => [peer, { peer, callCount: 0 }]))
  const gone: string[] = []
  const idle = new Idle({
    clock,
    connections: () => open.values(),
    letGo: ({ peer }) => {
      gone.push(peer)
      open.delete(peer)
    },
  })
  return { clock, open, gone, idle }
}

test('a small cluster keeps all, and no timer runs for it', () => {
  const { clock, open, gone, idle } = idleOf('oak')
  idle.keep(null)
  clock.advance(10 * IDLE_MS_MAX)
  assert.equal(gone, [])
  assert.not(idle.isResting(open.get('oak')!))
})

test('whoever is not kept is let go after a while in which nothing was said', () => {
  const { clock, gone, idle } = idleOf('oak', 'elm', 'fir')
  idle.keep(new Set(['oak']))
  for (let passedMs = 0; passedMs < IDLE_MS_MAX; passedMs += LOOKS_MS) {
    idle.used('elm')
    clock.advance(LOOKS_MS)
  }
  assert.equal(gone, ['fir'])
  clock.advance(IDLE_MS_MAX)
  assert.equal(gone, ['fir', 'elm'])
})

test('a call under way holds a connection, and its end begins the silence', () => {
  const { clock, open, gone, idle } = idleOf('elm')
  idle.keep(new Set())
  open.get('elm')!.callCount = 1
  clock.advance(10 * IDLE_MS_MAX)
  open.get('elm')!.callCount = 0
  clock.advance(IDLE_MS_MAX - LOOKS_MS)
  assert.equal(gone, [])
  clock.advance(2 * LOOKS_MS)
  assert.equal(gone, ['elm'])
})

test('an end is no news after a long silence only, and of one that is kept always', () => {
  const { clock, open, idle } = idleOf('oak', 'elm')
  idle.keep(new Set(['oak']))
  idle.used('elm')
  clock.advance(RESTING_MS - 1)
  assert.not(idle.isResting(open.get('elm')!))
  clock.advance(1)
  assert.ok(idle.isResting(open.get('elm')!))
  assert.not(idle.isResting(open.get('oak')!))
})

test('a cluster that shrinks keeps all again', () => {
  const { clock, gone, idle } = idleOf('elm')
  idle.keep(new Set())
  clock.advance(IDLE_MS_MAX - LOOKS_MS)
  idle.keep(null)
  clock.advance(10 * IDLE_MS_MAX)
  assert.equal(gone, [])
})

test.run()
