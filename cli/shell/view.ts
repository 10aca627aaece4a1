/** Who answers the shell, for its prompt. */
import type { Client } from '../client.ts'
import { escapeLine } from '../output/escape.ts'

export type View = {
  readonly node: string | null
  readonly isLeader: boolean
  readonly cluster: string | null
}

/** Never throws: a node that does not answer keeps its name when it was chosen, and has none otherwise. */
export const viewOf = async (client: Client, chosen: string | null): Promise<View> => {
  try {
    const status = await client.status()
    return {
      node: escapeLine(status.node),
      isLeader: status.leader === status.node,
      cluster: escapeLine(status.cluster),
    }
  } catch {
    return { node: chosen, isLeader: false, cluster: null }
  }
}
