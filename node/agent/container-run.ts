/** From a pod's row and its workload's template to what a runtime is asked to run. Pure. */
import type { ContainerSpec, Node, Pod } from '../../scheduler/index.ts'
import type { ContainerKey, ContainerRun } from '../runtime/runtime.ts'

/** `web.2`: how people name the pod. */
export const podNameOf = (pod: Pod): string => `${pod.workload}.${pod.slot}`

export const keyOf = (cluster: string, pod: Pod, container: string): ContainerKey => ({
  cluster,
  node: pod.node,
  pod: pod.id,
  podName: podNameOf(pod),
  container,
})

/** Which container of which pod on which machine. */
export type RunSource = {
  readonly cluster: string
  readonly node: Node
  readonly pod: Pod
  readonly firstContainer: string
}

export const runOf = (source: RunSource, spec: ContainerSpec): ContainerRun => {
  const { cluster, node, pod, firstContainer } = source
  return {
    key: keyOf(cluster, pod, spec.name),
    spec,
    ports: pod.ports.filter(port => port.owner === spec.name),
    address: node.address,
    pod: { firstContainer, ports: pod.ports },
    env: {
      TUTTI_POD: podNameOf(pod),
      TUTTI_POD_ID: pod.id,
      TUTTI_WORKLOAD: pod.workload,
      TUTTI_SLOT: String(pod.slot),
      TUTTI_NODE: node.name,
    },
  }
}
