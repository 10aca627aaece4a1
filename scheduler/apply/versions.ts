/**
 * Which versions of the program may be in one cluster at a time: two neighbouring ones, so that it can be upgraded node by node.
 * The oldest version in the roster never falls. So what only newer programs can read may be written once all can: whoever
 * proposes it looks at the roster, and no older program comes later that would stumble over it.
 */
import type { NodeFacts, Refusal } from '../commands.ts'
import type { Tables } from '../tables.ts'
import { refuse } from './step.ts'

type Version = { readonly major: number; readonly minor: number }

/** Null for what is no version: it is not judged. */
const versionOf = (text: string): Version | null => {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(text) ?? []
  return major === undefined ? null : { major: Number(major), minor: Number(minor) }
}

const compare = (one: Version, other: Version): number => one.major - other.major || one.minor - other.minor

/** The same, or the one after it. */
const isNeighbour = (older: Version, newer: Version): boolean =>
  newer.major === older.major
    ? newer.minor - older.minor <= 1
    : newer.major - older.major === 1 && newer.minor === 0

/** What a node that runs this version is told when it wants to join, or comes back. */
export const judgeVersion = (tables: Tables, facts: Pick<NodeFacts, 'id' | 'version'>): Refusal | null => {
  const own = versionOf(facts.version)
  if (own === null) return null
  const { version } = facts
  for (const node of tables.nodes.values()) {
    const other = node.state === 'left' ? null : versionOf(node.version)
    if (other === null || node.id === facts.id || compare(other, own) >= 0) continue
    if (!isNeighbour(other, own))
      return refuse(
        'E_VERSION',
        `node ${node.name} still runs ${node.version}; upgrade one version at a time`,
        {
          version,
          node: node.name,
        },
      )
  }
  const all = [...tables.nodes.values()].flatMap(node =>
    node.state === 'left' ? [] : [versionOf(node.version)],
  )
  const isTooOld = all.length > 0 && all.every(other => other !== null && compare(other, own) > 0)
  return isTooOld
    ? refuse('E_VERSION', 'every member runs a newer version, whose log an older one may not understand', {
        version,
      })
    : null
}
