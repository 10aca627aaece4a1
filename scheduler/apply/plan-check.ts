/**
 * Judges a plan against the state that it meets, change by change, as if the earlier ones were done. Nothing is
 * changed here: the whole plan is refused when one change does not hold.
 */
import type { Change, Plan, Refusal } from '../commands.ts'
import { isEnded, isOwner, mayMove } from '../lifecycle.ts'
import type { Node, NodeId } from '../model/node.ts'
import type { PodId } from '../model/pod.ts'
import type { Resources, Workload } from '../model/workload.ts'
import { declaredPorts, demandOf, hasRoom, nodesByAddress, portKey, reservedOn } from '../room.ts'
import { mayStartBeside } from '../succession.ts'
import { podsOfNode, podsOfSlot, slotKey, type Tables } from '../tables.ts'
import { refuse } from './step.ts'

type NewPod = Extract<Change, { type: 'start' }>['pod']
type Facts = Refusal['facts']
type Use = { reserved: Resources; readonly countByWorkload: Map<string, number> }

export class PlanCheck {
  readonly #tables: Tables
  readonly #basedOnIndex: number
  readonly #lost = new Set<PodId>()
  readonly #stopped = new Set<PodId>()
  readonly #startedIds = new Set<PodId>()
  readonly #startedSlots = new Set<string>()
  readonly #uses = new Map<NodeId, Use>()
  readonly #ports = new Map<string, Set<string>>()
  #sharing: ReadonlyMap<string, readonly Node[]> | null = null

  constructor(tables: Tables, plan: Plan) {
    this.#tables = tables
    this.#basedOnIndex = plan.basedOnIndex
  }

  /** Null when the change holds; it then counts for those that follow. */
  judge(change: Change): Refusal | null {
    switch (change.type) {
      case 'start':
        return this.#judgeStart(change.pod)
      case 'stop':
        return this.#judgeStop(change.pod)
      case 'lose':
        return this.#judgeLoss(change.pod)
      case 'pend':
        return this.#judgeWorkload(change.workload) ?? null
    }
  }

  #stale(why: string, facts: Facts): Refusal {
    return refuse('E_STALE_PLAN', why, {
      ...facts,
      basedOnIndex: this.#basedOnIndex,
      index: this.#tables.index,
    })
  }

  #judgeWorkload(name: string): Refusal | null {
    const workload = this.#tables.workloads.get(name)
    if (!workload) return this.#stale(`workload ${name} is gone`, { workload: name })
    return workload.modifiedIndex > this.#basedOnIndex
      ? this.#stale(`workload ${name} has changed`, { workload: name, modifiedIndex: workload.modifiedIndex })
      : null
  }

  #judgeLoss(id: PodId): Refusal | null {
    const pod = this.#tables.pods.get(id)
    if (!pod || this.#lost.has(id) || !mayMove(pod.state, 'lost', 'leader'))
      return this.#stale('the pod has ended', { pod: id })
    const node = this.#tables.nodes.get(pod.node)!
    if (node.state === 'alive') return this.#stale(`node ${node.name} is alive`, { pod: id, node: node.id })
    this.#lost.add(id)
    return null
  }

  /** The other pods of the slot must be as the planner saw them: they may be why this one is not wanted. */
  #judgeStop(id: PodId): Refusal | null {
    const pod = this.#tables.pods.get(id)
    if (!pod || isEnded(pod.state) || this.#lost.has(id)) return this.#stale('the pod has ended', { pod: id })
    if (pod.desired === 'stopped' || this.#stopped.has(id))
      return this.#stale('the pod is being stopped already', { pod: id })
    const newer = this.#newerInSlot(pod.workload, pod.slot)
    if (newer) return newer
    this.#stopped.add(id)
    return null
  }

  #newerInSlot(workload: string, slot: number): Refusal | null {
    const newer = podsOfSlot(this.#tables, workload, slot).find(pod => pod.modifiedIndex > this.#basedOnIndex)
    return newer
      ? this.#stale(`slot ${slotKey(workload, slot)} has changed`, {
          pod: newer.id,
          modifiedIndex: newer.modifiedIndex,
        })
      : null
  }

  #judgeStart(pod: NewPod): Refusal | null {
    const facts = { pod: pod.id, slot: slotKey(pod.workload, pod.slot), node: pod.node }
    const malformed = this.#judgeShape(pod)
    if (malformed) return refuse('E_INVALID', malformed, facts)
    const changed = this.#judgeWorkload(pod.workload)
    if (changed) return changed
    const workload = this.#tables.workloads.get(pod.workload)!
    const node = this.#tables.nodes.get(pod.node)
    if (workload.stopped) return this.#stale(`workload ${pod.workload} is stopped`, facts)
    if (pod.generation !== workload.generation) return this.#stale('another generation is wanted', facts)
    if (workload.spec.kind !== 'global' && pod.slot > workload.spec.count)
      return this.#stale('the slot is not wanted', facts)
    if (!node) return refuse('E_INVALID', 'a pod starts on a known node', facts)
    const refusal =
      this.#judgeNode(node, facts) ??
      this.#judgeSlot(pod, workload, facts) ??
      this.#judgeRoom(pod, workload, node, facts)
    if (refusal) return refusal
    this.#startedIds.add(pod.id)
    this.#startedSlots.add(facts.slot)
    return null
  }

  #judgeShape(pod: NewPod): string | null {
    if (this.#tables.pods.has(pod.id) || this.#startedIds.has(pod.id)) return 'a pod id is used once'
    if (pod.state !== 'assigned' || pod.desired !== 'running') return 'a new pod is assigned and wanted'
    if (!Number.isInteger(pod.slot) || pod.slot < 1) return 'slots count from 1'
    return null
  }

  #judgeNode(node: Node, facts: Facts): Refusal | null {
    if (node.state !== 'alive') return this.#stale(`node ${node.name} is ${node.state}`, facts)
    if (!node.schedulable) return this.#stale(`node ${node.name} is drained`, facts)
    return node.modifiedIndex > this.#basedOnIndex
      ? this.#stale(`node ${node.name} has changed`, facts)
      : null
  }

  #judgeSlot(pod: NewPod, workload: Workload, facts: Facts): Refusal | null {
    if (this.#startedSlots.has(slotKey(pod.workload, pod.slot)))
      return this.#stale('the plan starts two pods in the slot', facts)
    const newer = this.#newerInSlot(pod.workload, pod.slot)
    if (newer) return newer
    const live = podsOfSlot(this.#tables, pod.workload, pod.slot).filter(
      other => !isEnded(other.state) && !this.#lost.has(other.id),
    )
    const isHeld = live.some(
      other =>
        this.#stopped.has(other.id) || !mayStartBeside(other, workload, this.#tables.nodes.get(other.node)!),
    )
    return isHeld || live.length > 1 ? this.#stale('the slot has a live owner', facts) : null
  }

  #judgeRoom(pod: NewPod, workload: Workload, node: Node, facts: Facts): Refusal | null {
    const { kind, place, pod: template } = workload.spec
    const use = this.#useOf(node)
    const ownCount = use.countByWorkload.get(pod.workload) ?? 0
    if (kind !== 'global' && place.maxPerNode !== null && ownCount >= place.maxPerNode)
      return this.#stale(`node ${node.name} runs ${ownCount} pods of the workload already`, facts)
    if (kind === 'global' && this.#hasOtherSlot(pod))
      return this.#stale('the node has a pod of the workload', facts)
    const demand = demandOf(template)
    if (!hasRoom(node.capacity, use.reserved, demand))
      return this.#stale(`node ${node.name} has too few resources left`, facts)
    const portProblem = this.#judgePorts(pod, workload, node, facts)
    if (portProblem) return portProblem
    for (const port of pod.ports) this.#portsAt(node.address).add(portKey(port))
    use.countByWorkload.set(pod.workload, ownCount + 1)
    use.reserved = {
      cpuMillis: use.reserved.cpuMillis + demand.cpuMillis,
      memoryBytes: use.reserved.memoryBytes + demand.memoryBytes,
    }
    return null
  }

  #hasOtherSlot(pod: NewPod): boolean {
    const others = podsOfNode(this.#tables, pod.node).filter(other => other.workload === pod.workload)
    return others.some(other => other.slot !== pod.slot && isOwner(other) && !this.#stopped.has(other.id))
  }

  #judgePorts(pod: NewPod, workload: Workload, node: Node, facts: Facts): Refusal | null {
    const declared = declaredPorts(workload.spec.pod)
    const isComplete = declared.every(({ port }, number) => {
      const given = pod.ports[number]
      return (
        given?.name === port.name &&
        given.protocol === port.protocol &&
        given.host === (port.host ?? given.host)
      )
    })
    if (!isComplete || declared.length !== pod.ports.length)
      return refuse('E_INVALID', 'every declared port gets one host port', facts)
    const keys = pod.ports.map(portKey)
    const taken = keys.find(
      (key, number) => this.#portsAt(node.address).has(key) || keys.indexOf(key) !== number,
    )
    return taken
      ? this.#stale(`port ${taken} of node ${node.name} is taken`, { ...facts, port: taken })
      : null
  }

  #useOf(node: Node): Use {
    const known = this.#uses.get(node.id)
    if (known) return known
    const countByWorkload = new Map<string, number>()
    for (const { workload } of podsOfNode(this.#tables, node.id))
      countByWorkload.set(workload, (countByWorkload.get(workload) ?? 0) + 1)
    const use = { reserved: reservedOn(this.#tables, node), countByWorkload }
    this.#uses.set(node.id, use)
    return use
  }

  #portsAt(address: string): Set<string> {
    const known = this.#ports.get(address)
    if (known) return known
    this.#sharing ??= nodesByAddress(this.#tables)
    const taken = new Set<string>()
    for (const node of this.#sharing.get(address) ?? [])
      for (const pod of podsOfNode(this.#tables, node.id))
        if (!this.#lost.has(pod.id)) for (const port of pod.ports) taken.add(portKey(port))
    this.#ports.set(address, taken)
    return taken
  }
}
