/** Which host ports a pod gets on a node: fixed ones as declared, the others from the node's range in turn. */
import type { PodPort } from '../model/pod.ts'
import type { Port } from '../model/workload.ts'
import { portKey } from '../room.ts'
import type { NodeColumns } from './columns.ts'

export type Declared = readonly { readonly owner: string; readonly port: Port }[]

/** The declared fixed port that another pod holds at the row's address; null when all are free. */
export const takenFixedPort = (columns: NodeColumns, row: number, declared: Declared): string | null => {
  for (const { port } of declared) {
    if (port.host === null) continue
    const key = portKey({ host: port.host, protocol: port.protocol })
    if (columns.ports[row]!.taken.has(key)) return key
  }
  return null
}

/** Host ports in order of declaration, or null when the range has too few left. Fixed ports are taken for granted. */
export const allotPorts = (
  columns: NodeColumns,
  row: number,
  declared: Declared,
): readonly PodPort[] | null => {
  const own = new Set<string>()
  for (const { port } of declared)
    if (port.host !== null) own.add(portKey({ host: port.host, protocol: port.protocol }))
  const ports: PodPort[] = []
  let last = columns.lastPort[row]!
  for (const { owner, port } of declared) {
    const host = port.host ?? nextFree(columns, row, { own, last, protocol: port.protocol })
    if (host === null) return null
    if (port.host === null) last = host
    own.add(portKey({ host, protocol: port.protocol }))
    ports.push({ name: port.name, owner, container: port.container, host, protocol: port.protocol })
  }
  return ports
}

type Search = {
  readonly own: ReadonlySet<string>
  readonly last: number
  readonly protocol: Port['protocol']
}

/** In a circle from the port after the last allotted: a port comes up again as late as possible. */
const nextFree = (columns: NodeColumns, row: number, { own, last, protocol }: Search): number | null => {
  const { taken, recent } = columns.ports[row]!
  const [from, to] = columns.nodes[row]!.portRange
  const size = to - from + 1
  const start = last >= from && last < to ? last + 1 : from
  let usedRecently: number | null = null
  for (let step = 0; step < size; step++) {
    const host = from + ((start - from + step) % size)
    const key = portKey({ host, protocol })
    if (taken.has(key) || own.has(key)) continue
    if (!recent.has(key)) return host
    usedRecently ??= host
  }
  return usedRecently
}

/** Whether the range has a port for each dynamic one. Counts only when the range is nearly full. */
export const hasDynamicPorts = (columns: NodeColumns, row: number, declared: Declared): boolean => {
  const [from, to] = columns.nodes[row]!.portRange
  const isAmple = to - from + 1 >= columns.ports[row]!.taken.size + declared.length
  return isAmple || allotPorts(columns, row, declared) !== null
}
