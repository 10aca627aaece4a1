import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ActorRef, Behavior, Context } from '../../../node/actor/actor.ts'
import { ask } from '../../../node/actor/ask.ts'
import { createActorSystem } from '../../../node/actor/system.ts'
import { silentLog } from '../../../node/log.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'

/** A system whose turns run only when asked to. */
const scene = () => {
  const clock = virtualClock()
  const turns: (() => void)[] = []
  const fatal: string[] = []
  const system = createActorSystem({
    clock,
    random: () => 0.5,
    log: silentLog,
    onFatal: path => fatal.push(path),
    yieldTo: turn => turns.push(turn),
  })
  const settle = () => {
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn()
  }
  return { clock, system, settle, fatal }
}

const recorder =
  <Message>(seen: Message[]) =>
  (): Behavior<Message> => ({
    receive: message => void seen.push(message),
  })

test('messages arrive one at a time in the order they were sent', () => {
  const { system, settle } = scene()
  const seen: number[] = []
  const actor = system.spawn('a', recorder(seen))
  for (let i = 0; i < 500; i++) actor.send(i)
  assert.is(seen.length, 0, 'sending runs nothing')
  settle()
  assert.equal(seen, [...Array(500).keys()])
})

test('what may wait until others are served comes after what they were sent, and not to a later life', () => {
  const { system, settle, clock } = scene()
  const seen: string[] = []
  let life = 0
  const other = system.spawn('other', recorder(seen))
  const actor = system.spawn<string>('a', () => {
    const mine = ++life
    return {
      receive(message, ctx) {
        seen.push(`${mine}:${message}`)
        if (message === 'poison') throw new Error('poisoned')
        if (message === 'late') return
        ctx.afterSending('late')
        other.send('first')
      },
    }
  })
  actor.send('x')
  settle()
  assert.equal(seen, ['1:x', 'first', '1:late'])
  actor.send('y')
  actor.send('poison')
  settle()
  clock.advance(100)
  settle()
  assert.equal(seen.slice(3), ['1:y', '1:poison', 'first'])
  assert.is(life, 2)
})

test('a full mailbox follows its rule and counts what it dropped', () => {
  const { system, settle } = scene()
  const newest: number[] = []
  const oldest: number[] = []
  const dropOld = system.spawn('old', recorder(newest), { mailboxMax: 3, overflow: 'drop-oldest' })
  const dropNew = system.spawn('new', recorder(oldest), { mailboxMax: 3, overflow: 'drop-new' })
  for (let i = 0; i < 5; i++) {
    dropOld.send(i)
    dropNew.send(i)
  }
  settle()
  assert.equal(newest, [2, 3, 4])
  assert.equal(oldest, [0, 1, 2])
  assert.equal(
    system.statuses().map(status => status.droppedCount),
    [2, 2],
  )
})

test('a crash restarts the actor from its factory after a delay, without the message that crashed it', () => {
  const { system, settle, clock } = scene()
  const seen: string[] = []
  let life = 0
  const actor = system.spawn<string>('a', () => {
    const mine = ++life
    return {
      receive(message) {
        if (message === 'poison') throw new Error('poisoned')
        seen.push(`${mine}:${message}`)
      },
    }
  })
  for (const message of ['x', 'poison', 'y']) actor.send(message)
  settle()
  assert.equal(seen, ['1:x'])
  clock.advance(100)
  settle()
  assert.equal(seen, ['1:x', '2:y'])
  assert.is(system.statuses()[0]?.restartCount, 1)
  assert.is(system.statuses()[0]?.lastCrash, 'poisoned')
})

test('the fourth crash within a minute goes up a level, and is fatal at the root', () => {
  const { system, settle, clock, fatal } = scene()
  const root = system.spawn<string>('root', () => {
    let child: ActorRef<string> | null = null
    return {
      start(ctx) {
        child = ctx.spawn<string>('child', () => ({
          receive() {
            throw new Error('always')
          },
        }))
      },
      receive: message => child?.send(message),
    }
  })
  for (let crash = 0; crash < 3; crash++) {
    root.send('go')
    settle()
    clock.advance(5_000)
    settle()
  }
  assert.is(system.statuses()[0]?.restartCount, 0, 'three restarts are the child’s own')
  for (let crash = 0; crash < 13; crash++) {
    root.send('go')
    settle()
    clock.advance(3_000)
    settle()
  }
  assert.equal(fatal, ['root'])
  assert.equal(system.statuses(), [])
})

test('timers and piped results of a former life are not delivered', async () => {
  const { system, settle, clock } = scene()
  const seen: string[] = []
  let release: (text: string) => void = () => {}
  let life = 0
  const actor = system.spawn<string>('a', () => ({
    start(ctx) {
      if (++life > 1) return
      ctx.after(1_000, 'late timer')
      ctx.pipe(
        new Promise<string>(resolve => {
          release = resolve
        }),
        text => text,
        () => 'failed',
      )
    },
    receive(message) {
      if (message === 'poison') throw new Error('poisoned')
      seen.push(message)
    },
  }))
  actor.send('poison')
  settle()
  clock.advance(200)
  settle()
  release('late result')
  await Promise.resolve()
  clock.advance(2_000)
  settle()
  assert.equal(seen, [])
  assert.is(life, 2)
})

test('a failed promise comes back as a message', async () => {
  const { system, settle } = scene()
  const seen: string[] = []
  system.spawn<string>('a', () => ({
    start: ctx =>
      ctx.pipe(
        Promise.reject(new Error('no disk')),
        () => 'fine',
        thrown => String(thrown),
      ),
    receive: message => void seen.push(message),
  }))
  settle()
  await new Promise(resolve => setImmediate(resolve))
  settle()
  assert.equal(seen, ['Error: no disk'])
})

test('children end with their parent, and stop is called once from the leaves up', () => {
  const { system, settle } = scene()
  const ended: string[] = []
  const parent = system.spawn<never>('parent', () => ({
    start(ctx: Context<never>) {
      ctx.spawn<never>('child', () => ({ receive() {}, stop: () => ended.push('child') }))
    },
    receive() {},
    stop: () => ended.push('parent'),
  }))
  settle()
  assert.equal(
    system.statuses().map(status => status.path),
    ['parent', 'parent/child'],
  )
  system.stop(parent)
  system.stop(parent)
  assert.equal(ended, ['child', 'parent'])
  assert.equal(system.statuses(), [])
})

test('ask resolves with the reply and rejects at its deadline', async () => {
  const { system, settle, clock } = scene()
  const actor = system.spawn<{ readonly text: string; readonly replyTo: ActorRef<string> }>('a', () => ({
    receive(message) {
      if (message.text !== 'silence') message.replyTo.send(message.text.toUpperCase())
    },
  }))
  const answered = ask<Parameters<typeof actor.send>[0], string>(
    actor,
    replyTo => ({ text: 'hi', replyTo }),
    { clock, timeoutMs: 10 },
  )
  settle()
  assert.is(await answered, 'HI')
  const silent = ask<Parameters<typeof actor.send>[0], string>(
    actor,
    replyTo => ({ text: 'silence', replyTo }),
    { clock, timeoutMs: 10 },
  )
  settle()
  clock.advance(10)
  const failure = await silent.then(
    () => null,
    (thrown: { code: string }) => thrown.code,
  )
  assert.is(failure, 'E_TIMEOUT')
})

test('an overflowing mailbox whose rule is crash restarts the actor', () => {
  const { system, settle, clock } = scene()
  const seen: number[] = []
  const actor = system.spawn('a', recorder(seen), { mailboxMax: 2 })
  settle()
  for (let i = 0; i < 3; i++) actor.send(i)
  settle()
  assert.match(system.statuses()[0]?.lastCrash ?? '', /mailbox overflow: more than 2/)
  clock.advance(100)
  settle()
  assert.equal(seen, [0, 1])
})

test.run()
