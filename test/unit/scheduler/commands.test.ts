/** Every command against a model of a few lines: who may do what, and what a user would see afterwards. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  apply,
  type Command,
  type CommandType,
  emptyState,
  type NodeId,
  type RefusalCode,
} from '../../../scheduler/index.ts'
import { type Act, id, nodeFacts, SECRET, spec, World } from './fixtures.ts'

const NODES = ['ash', 'birch', 'cedar'] as const
const WORKLOADS = ['web', 'job'] as const
const CLUSTER = { id: 'c1', name: 'demo', publicKey: 'p', privateKey: 'k', createdAtMs: 0 }

type ModelNode = { state: 'alive' | 'dead' | 'left'; schedulable: boolean; hasLog: boolean }
type ModelWorkload = {
  count: number
  image: string
  stopped: boolean
  generation: number
  modifiedIndex: number
}

/** What a person would keep on a sheet of paper. Each act returns the refusal to expect, or null. */
class Model {
  isInitialised = false
  readonly nodes = new Map<NodeId, ModelNode>()
  readonly tokens = new Map<string, { usesLeft: number; revoked: boolean; expiresAtMs: number }>()
  readonly workloads = new Map<string, ModelWorkload>()

  do(act: Act, index: number, nowMs: number): RefusalCode | null {
    switch (act.type) {
      case 'cluster/Init':
        if (this.isInitialised) return 'E_ALREADY_INITIALISED'
        this.isInitialised = true
        this.nodes.set(act.node.id, { state: 'alive', schedulable: true, hasLog: true })
        return null
      case 'cluster/SetVoters':
        if (![3, 5, 7].includes(act.votersMax)) return 'E_INVALID'
        return this.isInitialised ? null : 'E_NOT_FOUND'
      case 'cluster/SetZoneLoss':
        if (act.waitMs !== null && act.waitMs < 0) return 'E_INVALID'
        return this.isInitialised ? null : 'E_NOT_FOUND'
      case 'token/Create':
        if (this.tokens.has(act.token.id)) return 'E_CONFLICT'
        this.tokens.set(act.token.id, {
          usesLeft: act.token.uses ?? 0,
          revoked: false,
          expiresAtMs: act.token.expiresAtMs,
        })
        return null
      case 'token/Revoke': {
        const token = this.tokens.get(act.id)
        if (!token) return 'E_NOT_FOUND'
        token.revoked = true
        return null
      }
      case 'node/Join':
        return this.#join(act, nowMs)
      case 'node/Update':
      case 'node/Verdict':
      case 'node/Drain':
      case 'node/Activate':
      case 'node/Leave':
        return this.#change(act)
      case 'workload/Apply':
        return this.#apply(act, index)
      case 'workload/Scale':
      case 'workload/Stop':
      case 'workload/Restart':
      case 'workload/Remove':
        return this.#alter(act, index)
      default:
        return null
    }
  }

  #join(act: Extract<Act, { type: 'node/Join' }>, nowMs: number): RefusalCode | null {
    const known = this.nodes.get(act.node.id)
    if (known?.state === 'left') return 'E_NODE_LEFT'
    if (known?.hasLog) return 'E_LOG_LOST'
    if (known) {
      known.state = 'alive'
      return null
    }
    const token = this.tokens.get(act.tokenId)
    if (!token || act.secretHash !== SECRET) return 'E_JOIN_TOKEN_UNKNOWN'
    if (token.revoked) return 'E_JOIN_TOKEN_REVOKED'
    if (nowMs >= token.expiresAtMs) return 'E_JOIN_TOKEN_EXPIRED'
    if (token.usesLeft === 0) return 'E_JOIN_TOKEN_SPENT'
    token.usesLeft--
    this.nodes.set(act.node.id, { state: 'alive', schedulable: true, hasLog: false })
    return null
  }

  #change(act: Extract<Act, { type: `node/${string}` }>): RefusalCode | null {
    const node = this.nodes.get('id' in act ? act.id : act.node.id)
    if (!node) return 'E_NOT_FOUND'
    if (act.type === 'node/Leave') node.state = 'left'
    else if (node.state === 'left') return 'E_NODE_LEFT'
    if (act.type === 'node/Update') Object.assign(node, { state: 'alive', hasLog: true })
    if (act.type === 'node/Verdict') node.state = act.state
    if (act.type === 'node/Drain') node.schedulable = false
    if (act.type === 'node/Activate') node.schedulable = true
    return null
  }

  #apply(act: Extract<Act, { type: 'workload/Apply' }>, index: number): RefusalCode | null {
    const { name, count, pod } = act.spec
    const image = pod.containers[0]!.image!
    const before = this.workloads.get(name)
    const isStale = before ? before.modifiedIndex > (act.checkIndex ?? index) : (act.checkIndex ?? 0) > 0
    if (isStale || (before && act.checkIndex === 0)) return 'E_CONFLICT'
    if (before && before.count === count && before.image === image && !before.stopped) return null
    const generation = (before?.generation ?? 0) + (before?.image === image ? 0 : 1)
    this.workloads.set(name, { count, image, stopped: false, generation, modifiedIndex: index })
    return null
  }

  #alter(act: Extract<Act, { name: string }>, index: number): RefusalCode | null {
    const workload = this.workloads.get(act.name)
    if (!workload) return 'E_NOT_FOUND'
    const before = { ...workload }
    if (act.type === 'workload/Remove') this.workloads.delete(act.name)
    if (act.type === 'workload/Scale') workload.count = act.count
    if (act.type === 'workload/Stop') workload.stopped = true
    if (act.type === 'workload/Restart') {
      workload.stopped = false
      workload.generation++
    }
    if (JSON.stringify(before) !== JSON.stringify(workload)) workload.modifiedIndex = index
    return null
  }
}

const nodes = fc.constantFrom(...NODES)
const workloads = fc.constantFrom(...WORKLOADS)
const tokens = fc.constantFrom('t1', 't2')

const acts: fc.Arbitrary<Act> = fc.oneof(
  nodes.map((name): Act => ({ type: 'cluster/Init', cluster: CLUSTER, node: nodeFacts(name) })),
  fc.tuple(tokens, fc.integer({ min: 1, max: 2 }), fc.integer({ min: 0, max: 100 })).map(
    ([token, uses, expiresAtMs]): Act => ({
      type: 'token/Create',
      token: { id: token, kind: 'join', secretHash: SECRET, role: 'viewer', labels: {}, uses, expiresAtMs },
    }),
  ),
  fc.constantFrom(3, 4, 7).map((votersMax): Act => ({ type: 'cluster/SetVoters', votersMax })),
  fc.constantFrom(null, -1, 0, 5_000).map((waitMs): Act => ({ type: 'cluster/SetZoneLoss', waitMs })),
  tokens.map((token): Act => ({ type: 'token/Revoke', id: token })),
  fc.tuple(nodes, tokens, fc.constantFrom(SECRET, SECRET, 'guess')).map(
    ([name, tokenId, secretHash]): Act => ({
      type: 'node/Join',
      node: nodeFacts(name),
      tokenId,
      secretHash,
    }),
  ),
  nodes.map((name): Act => ({ type: 'node/Update', node: nodeFacts(name) })),
  fc
    .tuple(nodes, fc.constantFrom('alive' as const, 'dead' as const))
    .map(([name, state]): Act => ({ type: 'node/Verdict', id: id(name), state, reason: 'test' })),
  fc
    .tuple(nodes, fc.constantFrom('node/Drain' as const, 'node/Activate' as const, 'node/Leave' as const))
    .map(([name, type]): Act => ({ type, id: id(name) })),
  fc
    .tuple(
      workloads,
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom('a', 'b'),
      fc.constantFrom(null, null, 0, 5, 1_000),
    )
    .map(
      ([name, count, image, checkIndex]): Act => ({
        type: 'workload/Apply',
        spec: spec({ name, count }, { image }),
        checkIndex,
      }),
    ),
  fc
    .tuple(workloads, fc.integer({ min: 0, max: 3 }))
    .map(([name, count]): Act => ({ type: 'workload/Scale', name, count })),
  fc
    .tuple(
      workloads,
      fc.constantFrom('workload/Stop' as const, 'workload/Restart' as const, 'workload/Remove' as const),
    )
    .map(([name, type]): Act => ({ type, name })),
)

test('each command does what the model does, and is refused when the model refuses', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.array(acts, { minLength: 10, maxLength: 60 }), list => {
      const world = new World()
      world.nowMs = 0
      const model = new Model()
      for (const act of list) {
        const expected = model.do(act, world.state.index + 1, world.nowMs)
        const outcome = world.do(act)
        assert.is(outcome.ok ? null : outcome.refusal.code, expected, act.type)
        seen.add(`${act.type} ${expected}`)
        world.wait(1)
        const { state } = world
        assert.is(state.cluster !== null, model.isInitialised)
        assert.equal(
          new Map(
            [...state.nodes].map(([key, node]) => [
              key,
              { state: node.state, schedulable: node.schedulable, hasLog: node.hasLog === true },
            ]),
          ),
          model.nodes,
        )
        assert.equal(
          new Map(
            [...state.tokens].map(([key, { usesLeft, revoked, expiresAtMs }]) => [
              key,
              { usesLeft, revoked, expiresAtMs },
            ]),
          ),
          model.tokens,
        )
        assert.equal(
          new Map(
            [...state.workloads].map(
              ([
                key,
                {
                  spec: { count, pod },
                  stopped,
                  generation,
                  modifiedIndex,
                },
              ]) => [key, { count, image: pod.containers[0]!.image, stopped, generation, modifiedIndex }],
            ),
          ),
          model.workloads,
        )
      }
    }),
    { numRuns: 400, seed: 8 },
  )
  assert.ok(seen.size >= 30, `${seen.size} kinds of outcome were seen`)
})

/** One of each kind; a new kind of command does not compile until it is here. */
const examples: Readonly<Record<CommandType, Act>> = {
  'cluster/Init': { type: 'cluster/Init', cluster: CLUSTER, node: nodeFacts('ash') },
  'cluster/SetVoters': { type: 'cluster/SetVoters', votersMax: 7 },
  'cluster/SetZoneLoss': { type: 'cluster/SetZoneLoss', waitMs: null },
  'token/Create': {
    type: 'token/Create',
    token: {
      id: 't1',
      kind: 'join',
      secretHash: SECRET,
      role: 'viewer',
      labels: {},
      uses: 1,
      expiresAtMs: 1e15,
    },
  },
  'token/Revoke': { type: 'token/Revoke', id: 't1' },
  'node/Join': { type: 'node/Join', node: nodeFacts('birch'), tokenId: 't1', secretHash: SECRET },
  'node/Update': { type: 'node/Update', node: nodeFacts('ash', { version: '0.2.0' }) },
  'node/Verdict': { type: 'node/Verdict', id: id('ash'), state: 'dead', reason: 'no answer' },
  'node/Drain': { type: 'node/Drain', id: id('ash') },
  'node/Activate': { type: 'node/Activate', id: id('ash') },
  'node/Leave': { type: 'node/Leave', id: id('ash') },
  'workload/Apply': { type: 'workload/Apply', spec: spec(), checkIndex: null },
  'workload/Scale': { type: 'workload/Scale', name: 'web', count: 1 },
  'workload/Stop': { type: 'workload/Stop', name: 'web' },
  'workload/Restart': { type: 'workload/Restart', name: 'web' },
  'workload/Remove': { type: 'workload/Remove', name: 'web' },
  'plan/Apply': { type: 'plan/Apply', plan: { basedOnIndex: 0, changes: [] } },
  'pod/Report': { type: 'pod/Report', node: id('ash'), reports: [] },
  'audit/Note': { type: 'audit/Note', node: id('ash'), notes: [] },
}

test('every kind of command has an outcome on an empty state, and is remembered', () => {
  for (const act of Object.values(examples)) {
    const state = emptyState()
    const command = { ...act, atMs: 1 } as Command
    const { outcome } = apply(state, { requestId: 'r', command }, { index: 1, term: 1 })
    assert.is(outcome.index, 1)
    assert.is(state.requests.get('r'), outcome)
  }
})

test('an unknown kind of command is a bug, not a refusal', () => {
  const command = { type: 'tea/Brew', atMs: 1 } as unknown as Command
  assert.throws(() => apply(emptyState(), { requestId: 'r', command }, { index: 1, term: 1 }), /no function/)
})

test.run()
