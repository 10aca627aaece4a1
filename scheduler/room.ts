/** What a pod asks of a node and what is already taken there. Shared by placement and by `apply`'s check of plans. */
import type { Node } from './model/node.ts'
import type { Pod, PodPort } from './model/pod.ts'
import type { PodTemplate, Port, Resources } from './model/workload.ts'
import type { State } from './state.ts'
import { podsOfNode } from './tables.ts'

/** The sum over a pod's containers. */
export const demandOf = (template: PodTemplate): Resources => {
  let cpuMillis = 0
  let memoryBytes = 0
  for (const { resources } of template.containers) {
    cpuMillis += resources.cpuMillis
    memoryBytes += resources.memoryBytes
  }
  return { cpuMillis, memoryBytes }
}

/** Every port of the pod with the container that declares it, in order of declaration. */
export const declaredPorts = (
  template: PodTemplate,
): readonly { readonly owner: string; readonly port: Port }[] =>
  template.containers.flatMap(({ name, ports }) => ports.map(port => ({ owner: name, port })))

export const portKey = ({ host, protocol }: Pick<PodPort, 'host' | 'protocol'>): string =>
  `${host}/${protocol}`

/** What the pods of a node that have not ended reserve, but for those that `isGone` names. */
export const reservedOn = (
  state: State,
  node: Node,
  isGone: (pod: Pod) => boolean = () => false,
): Resources => {
  let cpuMillis = 0
  let memoryBytes = 0
  for (const pod of podsOfNode(state, node.id)) {
    if (isGone(pod)) continue
    cpuMillis += pod.resources.cpuMillis
    memoryBytes += pod.resources.memoryBytes
  }
  return { cpuMillis, memoryBytes }
}

/** A pod that reserves none of a resource fits even where that resource is over-committed. */
export const hasRoom = (capacity: Resources, reserved: Resources, demand: Resources): boolean =>
  (demand.cpuMillis === 0 || reserved.cpuMillis + demand.cpuMillis <= capacity.cpuMillis) &&
  (demand.memoryBytes === 0 || reserved.memoryBytes + demand.memoryBytes <= capacity.memoryBytes)

/** Members by address: nodes that publish on one address share its ports. */
export const nodesByAddress = (state: State): ReadonlyMap<string, readonly Node[]> => {
  const sharing = new Map<string, Node[]>()
  for (const node of state.nodes.values()) {
    const others = sharing.get(node.address)
    if (others) others.push(node)
    else sharing.set(node.address, [node])
  }
  return sharing
}
