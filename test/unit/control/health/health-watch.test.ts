// Which ailing node is drained, and when none is.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AILING_MS,
  DRAIN_PAUSE_MS,
  HealthWatch,
  type Patient,
} from '../../../../node/control/health/health-watch.ts'

class Ward {
  readonly watch = new HealthWatch()
  nowMs = 0
  whyNot: string | null = null
  readonly patients = new Map<string, Patient>()

  constructor(count: number) {
    for (let at = 0; at < count; at++) {
      const id = `n${at}`
      this.patients.set(id, {
        id,
        score: 100,
        ailments: [],
        isAlive: true,
        isDrained: false,
        isAiling: false,
        isTrusted: false,
        podCount: 3,
      })
    }
  }

  set(id: string, parts: Partial<Patient>): this {
    this.patients.set(id, { ...(this.patients.get(id) as Patient), ...parts })
    return this
  }

  ail(id: string, score = 40): this {
    return this.set(id, { score, ailments: ['it coughs', 'it limps'] })
  }

  /** Looks every five seconds; the drains, each carried out at once. */
  pass(ms: number): string[] {
    const drained: string[] = []
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 5_000) {
      const drain = this.watch.judge([...this.patients.values()], {
        nowMs: this.nowMs,
        whyNot: () => this.whyNot,
      })
      if (drain === null) continue
      drained.push(drain.id)
      this.reason = drain.reason
      this.set(drain.id, { isDrained: true, isAiling: true })
    }
    return drained
  }
  reason = ''
}

test('a node that ails for a minute is drained, and the reason names what ails it', () => {
  const ward = new Ward(4).ail('n1')
  assert.equal(ward.pass(AILING_MS), [])
  assert.equal(ward.pass(5_000), ['n1'])
  assert.is(ward.reason, 'health 40 of 100: it coughs; it limps')
})

test('the time that a node was away does not count: back again, it is looked at for a minute', () => {
  const ward = new Ward(4).ail('n1').set('n1', { isAlive: false })
  assert.equal(ward.pass(10 * AILING_MS), [])
  ward.set('n1', { isAlive: true })
  assert.equal(ward.pass(AILING_MS), [])
  assert.equal(ward.pass(5_000), ['n1'])
})

test('a node that is well again begins anew, one that is merely better does not', () => {
  const ward = new Ward(4).ail('n1')
  ward.pass(50_000)
  ward.ail('n1', 90).pass(5_000)
  assert.equal(ward.ail('n1').pass(50_000), [])
  assert.equal(ward.ail('n1', 60).pass(60_000), [], 'above the line')
  assert.equal(ward.ail('n1', 45).pass(5_000), ['n1'], 'it was never well meanwhile')
})

test('one at a time, and the next only when the pause is over and the first is empty', () => {
  const ward = new Ward(20).ail('n1', 30).ail('n2', 20)
  assert.equal(ward.pass(AILING_MS + 5_000), ['n2'])
  assert.equal(ward.pass(DRAIN_PAUSE_MS + 60_000), [], 'n2 still has pods')
  assert.equal(ward.set('n2', { podCount: 0 }).pass(5_000), ['n1'])
})

test('of ten nodes one may be out for its health, of twenty two', () => {
  for (const [count, most] of [
    [5, 1],
    [10, 1],
    [20, 2],
  ] as const) {
    const ward = new Ward(count)
    for (const id of ['n1', 'n2', 'n3']) ward.ail(id).set(id, { podCount: 0 })
    if (count === 5) ward.ail('n3', 100)
    const share = count === 5 ? 0 : most
    assert.is(ward.pass(4 * DRAIN_PAUSE_MS).length, share, `${count} nodes`)
  }
})

test('when more than a third ails it is not the machines', () => {
  const ward = new Ward(5).ail('n1').ail('n2')
  assert.equal(ward.pass(10 * AILING_MS), [])
  assert.equal(ward.ail('n2', 100).pass(5_000), ['n1'])
})

test('nobody is drained whose work fits nowhere else, nor so that one node is left', () => {
  const full = new Ward(4).ail('n1')
  full.whyNot = 'web.2: no node fits'
  assert.equal(full.pass(10 * AILING_MS), [])
  assert.equal(new Ward(2).ail('n1').pass(10 * AILING_MS), [])
  const drained = new Ward(3).ail('n1').set('n2', { isDrained: true })
  assert.equal(drained.pass(10 * AILING_MS), [])
})

test('what an operator has drained, activated or what is dead is left alone', () => {
  for (const parts of [{ isDrained: true }, { isTrusted: true }, { isAlive: false }])
    assert.equal(
      new Ward(5)
        .ail('n1')
        .set('n1', parts)
        .pass(10 * AILING_MS),
      [],
      JSON.stringify(parts),
    )
})

test.run()
