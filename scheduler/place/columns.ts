/**
 * The nodes as columns: one row per member, one array per quantity, so that filters and scores run down a column.
 * Built from the state for one act of placement and kept true as pods take room.
 */
import { compareText } from '../canonical.ts'
import { isEnded } from '../lifecycle.ts'
import type { Node, NodeId } from '../model/node.ts'
import type { PodPort } from '../model/pod.ts'
import type { Resources } from '../model/workload.ts'
import { portKey } from '../room.ts'
import type { State } from '../state.ts'

/** The ports of one address; nodes that share an address share this record. */
export type AddressPorts = {
  /** `80/tcp` of pods that have not ended. */
  readonly taken: Set<string>
  /** Those of kept pods that have ended: a process may still be letting go of them. */
  readonly recent: Set<string>
}

export class NodeColumns {
  /** By id. Nodes that have left are no members and have no row. */
  readonly nodes: readonly Node[]
  readonly rowOf: ReadonlyMap<NodeId, number>
  readonly cpuMillisReserved: Float64Array
  readonly memoryBytesReserved: Float64Array
  /** Pods of any workload that have not ended. */
  readonly podCount: Int32Array
  readonly ports: readonly AddressPorts[]
  /** The port of the node's own range that was allotted last; 0: none yet. */
  readonly lastPort: Int32Array

  constructor(state: State) {
    this.nodes = [...state.nodes.values()]
      .filter(node => node.state !== 'left')
      .sort((a, b) => compareText(a.id, b.id))
    this.rowOf = new Map(this.nodes.map((node, row) => [node.id, row]))
    this.cpuMillisReserved = new Float64Array(this.nodes.length)
    this.memoryBytesReserved = new Float64Array(this.nodes.length)
    this.podCount = new Int32Array(this.nodes.length)
    this.lastPort = new Int32Array(this.nodes.length)
    const byAddress = new Map<string, AddressPorts>()
    for (const { address } of this.nodes)
      if (!byAddress.has(address)) byAddress.set(address, { taken: new Set(), recent: new Set() })
    this.ports = this.nodes.map(({ address }) => byAddress.get(address)!)
    for (const pod of state.pods.values()) {
      const row = this.rowOf.get(pod.node)
      if (row === undefined) continue
      if (!isEnded(pod.state)) this.take(row, pod.resources, pod.ports)
      else this.#remember(row, pod.ports)
    }
  }

  /** One more pod on a row. */
  take(row: number, demand: Resources, ports: readonly PodPort[]): void {
    this.cpuMillisReserved[row]! += demand.cpuMillis
    this.memoryBytesReserved[row]! += demand.memoryBytes
    this.podCount[row]! += 1
    for (const port of ports) {
      this.ports[row]!.taken.add(portKey(port))
      this.#advancePort(row, port)
    }
  }

  #remember(row: number, ports: readonly PodPort[]): void {
    for (const port of ports) {
      this.ports[row]!.recent.add(portKey(port))
      this.#advancePort(row, port)
    }
  }

  #advancePort(row: number, { host }: PodPort): void {
    const [first, last] = this.nodes[row]!.portRange
    if (host >= first && host <= last) this.lastPort[row] = host
  }
}
