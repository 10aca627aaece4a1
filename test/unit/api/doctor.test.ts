import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnose, type Findings } from '../../../node/api/native/doctor.ts'

const WELL: Findings = {
  hasQuorum: true,
  leader: 'ash',
  voters: ['ash', 'birch', 'cedar'],
  toleratesCount: 1,
  members: 3,
  dead: [],
  unconnected: [],
  protocols: [
    { node: 'ash', protocol: 2 },
    { node: 'birch', protocol: 2 },
  ],
  diskFatal: null,
  lastWriteMs: 2,
  sync: { usualMs: 1, worstMs: 4 },
  freeDisk: { bytes: 50 * 1024 ** 3, totalBytes: 100 * 1024 ** 3 },
  loopLagMs: 3,
  runtime: { isReachable: true, text: 'docker 29 answers' },
  dataDirectory: { path: '/var/lib/tutti', mode: 0o40700 },
  listening: [{ what: 'peers', address: '10.0.0.1:7701', isOpen: true }],
  openEngines: [],
  clocks: [{ node: 'birch', aheadMs: 12 }],
  replicas: [{ node: 'birch', isSame: true }],
  views: [
    { from: 'ash', mtu: 1_500, sights: [{ node: 'birch', tookMs: 0.4, passesLarge: true, why: null }] },
    { from: 'birch', mtu: 1_500, sights: [{ node: 'ash', tookMs: 0.5, passesLarge: true, why: null }] },
  ],
}

const unwell = (changes: Partial<Findings>): string[] =>
  diagnose({ ...WELL, ...changes })
    .filter(({ state }) => state !== 'ok')
    .map(({ check, state }) => `${check}: ${state}`)

test('a healthy node has nothing to complain about', () => {
  assert.equal(unwell({}), [])
})

const CASES: readonly (readonly [Partial<Findings>, readonly string[]])[] = [
  [{ hasQuorum: false, toleratesCount: 0, leader: null }, ['quorum: failure']],
  [{ voters: ['ash'], toleratesCount: 0 }, ['quorum: warning']],
  [{ voters: ['ash'], toleratesCount: 0, members: 2 }, ['quorum: warning']],
  [{ voters: ['ash', 'birch'], toleratesCount: 0 }, ['quorum: warning', 'voters: warning']],
  [{ dead: ['cedar', 'doug'] }, ['nodes: warning']],
  [{ unconnected: ['cedar'] }, ['peers: warning']],
  [{ lastWriteMs: 250 }, ['disk: warning']],
  [{ lastWriteMs: 2_500 }, ['disk: failure']],
  [{ lastWriteMs: null }, []],
  [{ sync: { usualMs: 250, worstMs: 300 } }, ['disk latency: warning']],
  [{ sync: { usualMs: 2, worstMs: 300 } }, []],
  [{ sync: { usualMs: 1_500, worstMs: 1_500 } }, ['disk latency: failure']],
  [{ sync: null }, ['disk latency: failure']],
  [{ listening: [{ what: 'peers', address: '10.0.0.1:7701', isOpen: false }] }, ['ports: failure']],
  [
    {
      protocols: [
        { node: 'ash', protocol: 2 },
        { node: 'birch', protocol: 1 },
      ],
    },
    ['versions: warning'],
  ],
  [{ diskFatal: 'no space left on device' }, ['disk: failure']],
  [{ freeDisk: { bytes: 1024, totalBytes: 1024 ** 3 } }, ['space: failure']],
  [{ freeDisk: { bytes: 5 * 1024 ** 3, totalBytes: 100 * 1024 ** 3 } }, ['space: warning']],
  [{ freeDisk: null }, ['space: warning']],
  [{ loopLagMs: 250 }, ['event loop: warning']],
  [{ loopLagMs: 5_000 }, ['event loop: failure']],
  [{ runtime: { isReachable: false, text: 'the engine does not answer' } }, ['runtime: failure']],
  [{ dataDirectory: { path: '/x', mode: 0o40755 } }, ['data directory: failure']],
  [{ openEngines: ['127.0.0.1:2375'] }, ['engine port: failure']],
  [{ clocks: [{ node: 'birch', aheadMs: -3_000 }] }, ['clock: warning']],
  [{ clocks: [{ node: 'birch', aheadMs: 90_000 }] }, ['clock: failure']],
  [{ replicas: [] }, []],
  [
    {
      replicas: [
        { node: 'birch', isSame: true },
        { node: 'cedar', isSame: false },
      ],
    },
    ['replica: failure'],
  ],
]

test('each trouble is found, and nothing else with it', () => {
  for (const [changes, expected] of CASES) assert.equal(unwell(changes), expected, JSON.stringify(changes))
})

test('whatever is not well says what to try', () => {
  for (const [changes] of CASES)
    for (const { state, text, try: hint } of diagnose({ ...WELL, ...changes })) {
      assert.ok(text.length > 0)
      assert.is(hint === null, state === 'ok')
    }
})

test.run()
