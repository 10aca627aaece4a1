/** Placement against its obvious slow twin, which recounts every pod of every node for every single choice. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashText } from '../../../scheduler/dice.ts'
import {
  type Constraint,
  isEnded,
  type Node,
  type NodeId,
  type Pod,
  place,
  reconcile,
  type StartWish,
  type State,
  type Workload,
} from '../../../scheduler/index.ts'
import { actions, specs, startCluster } from './arbitrary.ts'
import { World } from './fixtures.ts'

type Taken = Pick<Pod, 'workload' | 'node' | 'generation' | 'resources' | 'desired'> & {
  ports: readonly number[]
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, next) => total + next, 0)

const holds = (node: Node, { attribute, operator, values }: Constraint): boolean => {
  const value = node.labels[attribute]
  if (operator === '==') return value === values[0]
  return value !== undefined && new RegExp(values[0]!).test(value)
}

class Twin {
  readonly #state: State
  readonly #seed: number
  readonly #taken: Taken[]

  constructor(state: State, seed: number) {
    this.#state = state
    this.#seed = seed
    const live = [...state.pods.values()].filter(pod => !isEnded(pod.state))
    this.#taken = live.map(pod => ({ ...pod, ports: pod.ports.map(({ host }) => host) }))
  }

  choose(wish: StartWish): NodeId | null {
    const workload = this.#state.workloads.get(wish.workload)!
    const nodes = [...this.#state.nodes.values()].filter(
      node => (wish.node === null || wish.node === node.id) && this.#fits(workload, node),
    )
    const best = nodes.sort((a, b) => this.#compare(workload, wish, nodes.slice(), a, b))[0]
    if (!best) return null
    this.#taken.push({
      workload: wish.workload,
      node: best.id,
      generation: workload.generation,
      desired: 'running',
      resources: workload.spec.pod.containers[0]!.resources,
      ports: workload.spec.pod.containers[0]!.ports.map(port => port.host ?? this.#freePort(best)),
    })
    return best.id
  }

  #on(node: Node): readonly Taken[] {
    return this.#taken.filter(pod => pod.node === node.id)
  }

  #freePort(node: Node): number {
    const taken = this.#on(node).flatMap(({ ports }) => ports)
    return [...Array(100).keys()].map(step => 20_000 + step).find(port => !taken.includes(port))!
  }

  #fits({ spec }: Workload, node: Node): boolean {
    const { resources, ports } = spec.pod.containers[0]!
    const here = this.#on(node)
    const isFree = (key: 'cpuMillis' | 'memoryBytes'): boolean =>
      resources[key] === 0 || sum(here.map(pod => pod.resources[key])) + resources[key] <= node.capacity[key]
    const own = here.filter(pod => pod.workload === spec.name).length
    return (
      node.state === 'alive' &&
      node.schedulable &&
      spec.place.constraints.every(one => !one.hard || holds(node, one)) &&
      (spec.kind === 'global' || own < (spec.place.maxPerNode ?? 1e9)) &&
      ports.every(({ host }) => host === null || !here.some(pod => pod.ports.includes(host))) &&
      isFree('cpuMillis') &&
      isFree('memoryBytes')
    )
  }

  #staying(workload: Workload, isHere: (node: Node) => boolean): number {
    return this.#taken.filter(pod => {
      const node = this.#state.nodes.get(pod.node)!
      const stays = node.state === 'alive' && node.schedulable && pod.generation === workload.generation
      return pod.workload === workload.spec.name && stays && pod.desired === 'running' && isHere(node)
    }).length
  }

  /** The cost of each key of the strategy, most important first. */
  #costs(workload: Workload, wish: StartWish, nodes: readonly Node[], node: Node): readonly number[] {
    const { strategy, spread } = workload.spec.place
    const failures = [...this.#state.pods.values()].filter(
      pod =>
        pod.workload === wish.workload &&
        pod.slot === wish.slot &&
        pod.generation === wish.generation &&
        pod.state === 'failed' &&
        pod.node === node.id,
    ).length
    const labels = spread.map(key => this.#staying(workload, other => other.labels[key] === node.labels[key]))
    const count = (one: Node): number => this.#on(one).length
    const most = Math.max(...nodes.map(count))
    const last = {
      spread: [this.#staying(workload, other => other === node), count(node)],
      binpack: [10_000 - Math.round(this.#fill(workload, node) * 10_000), most - count(node)],
      random: [hashText(`${wish.workload}.${wish.slot} ${node.id}`, this.#seed ^ 0x5bd1e995) % 10_000],
    }
    return [Number(failures > 1), ...labels, ...last[strategy]]
  }

  #fill({ spec }: Workload, node: Node): number {
    const { resources } = spec.pod.containers[0]!
    const part = (key: 'cpuMillis' | 'memoryBytes'): number => {
      const used = sum(this.#on(node).map(pod => pod.resources[key])) + resources[key]
      return Math.min(1, used / node.capacity[key])
    }
    return (part('cpuMillis') + part('memoryBytes')) / 2
  }

  /** A soft constraint of weight 80 beats the strategy, the only soft weight that the generator draws. */
  #compare(workload: Workload, wish: StartWish, nodes: readonly Node[], a: Node, b: Node): number {
    const soft = workload.spec.place.constraints.filter(({ hard }) => !hard)
    for (const one of soft) if (holds(a, one) !== holds(b, one)) return holds(a, one) ? -1 : 1
    const costsOfA = this.#costs(workload, wish, nodes, a)
    const costsOfB = this.#costs(workload, wish, nodes, b)
    const at = costsOfA.findIndex((cost, i) => cost !== costsOfB[i])
    if (at !== -1) return costsOfA[at]! - costsOfB[at]!
    const tie = (node: Node): number => hashText(`${wish.workload}.${wish.slot} ${node.id}`, this.#seed)
    return tie(a) - tie(b) || (a.id < b.id ? -1 : 1)
  }
}

/** Five of each workload in turn, by name: the same interleaving as the real one. */
const inTurn = (wishes: readonly StartWish[]): readonly StartWish[] => {
  const names = [...new Set(wishes.map(({ workload }) => workload))].sort()
  const queues = names.map(name => wishes.filter(({ workload }) => workload === name))
  const order: StartWish[] = []
  while (queues.some(queue => queue.length > 0)) for (const queue of queues) order.push(...queue.splice(0, 5))
  return order
}

const histories = fc.array(actions, { minLength: 5, maxLength: 50 })

test('place chooses the same nodes as the slow twin', () => {
  let compared = 0
  fc.assert(
    fc.property(
      histories,
      fc.array(specs, { minLength: 1, maxLength: 4 }),
      fc.nat(1_000),
      (list, asked, seed) => {
        const world = startCluster(new World())
        for (const { run } of list) run(world)
        for (const spec of asked) world.ok({ type: 'workload/Apply', spec, checkIndex: null })
        const wishes = reconcile(world.state, world.nowMs).filter(wish => wish.type === 'start')
        const { placed, unplaced } = place(world.state, wishes, seed, world.nowMs)
        const twin = new Twin(world.state, seed)
        for (const wish of inTurn(wishes)) {
          const node = twin.choose(wish)
          const real = placed.find(one => one.wish === wish)
          assert.is(real?.node ?? null, node)
          assert.is(
            unplaced.some(one => one.wish === wish),
            node === null,
          )
          compared++
        }
      },
    ),
    { numRuns: 300, seed: 5 },
  )
  assert.ok(compared > 1_000, `${compared} choices were compared`)
})

test.run()
