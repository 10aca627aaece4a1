/**
 * Comparing views (push-pull): on joining, now and then with a live member, and with a dead one to heal partitions.
 * Only a node that knows nobody yet is told everything. Others begin with one number for their whole view, go down to
 * the parts in which they differ, and tell each other those.
 */
import { hear } from './claims.ts'
import { type Core, rumorAbout } from './core.ts'
import { childrenOf, DEPTH_MAX, type Part, partHash, pathOf } from './digest.ts'
import type { Member, NodeId } from './member.ts'
import { bytesOf, type Message, type Rumor } from './message.ts'

type Sync = Message & { readonly type: 'sync' }

/** Members asked at once when joining: more than one, so that a dead seed costs no time. */
const JOIN_PARTNERS = 3
/** Of one message; a whole view takes several. What does not fit into an answer waits for the next comparison. */
const SYNC_BYTES_MAX = 64 * 1_024
const PARTS_MAX = 256
/** A part that holds no more members is told instead of being taken apart. */
const TOLD_MEMBERS_MAX = 8

/** For a node that knows nothing yet. */
export function askToJoin(core: Core): void {
  for (const { id } of core.peers.pickNear(JOIN_PARTNERS, () => true)) askForEverything(core, id)
}

export function askForEverything(core: Core, partner: NodeId): void {
  core.out.send(partner, { type: 'sync', wantsReply: true, rumors: greeting(core, partner) })
}

/** Whether the partner sees the same, and the difference if it does not. One that knows no digests tells everything. */
export function compareWith(core: Core, partner: NodeId): void {
  const parts: Part[] = [['', hashOfView(core, '')]]
  core.out.send(partner, { type: 'sync', wantsReply: true, rumors: greeting(core, partner), parts })
}

/** One random live neighbour, to repair what rumours missed. */
export function syncWithLive(core: Core): void {
  for (const { id } of core.peers.pickNear(1, member => member.state === 'alive')) compareWith(core, id)
}

/** One random dead member: after a partition both sides hold each other dead, and nobody probes the dead. */
export function syncWithDead(core: Core): void {
  if (core.peers.deadCount === 0) return
  for (const { id } of core.peers.pick(1, member => member.state === 'dead')) compareWith(core, id)
}

export function receiveSync(core: Core, from: NodeId, sync: Sync): void {
  for (const rumor of sync.rumors) hear(core, rumor, from)
  if (sync.parts !== undefined) answerParts(core, from, { parts: sync.parts, told: sync.told ?? [] })
  else if (sync.wantsReply) tellWholeView(core, from)
}

/** The partner about itself, so that it can refute, and ourselves. */
function greeting(core: Core, partner: NodeId): Rumor[] {
  const known = core.peers.get(partner)
  const self: Rumor = { member: core.self, by: core.self.id }
  return known === undefined ? [self] : [rumorAbout(core, known), self]
}

function tellWholeView(core: Core, partner: NodeId): void {
  const rest = core.peers.all().filter(({ id }) => id !== partner)
  const rumors = [...greeting(core, partner), ...rest.map(member => rumorAbout(core, member))]
  let chunk: Rumor[] = []
  let bytes = 0
  for (const rumor of rumors) {
    if (bytes > SYNC_BYTES_MAX) {
      core.out.send(partner, { type: 'sync', wantsReply: false, rumors: chunk })
      chunk = []
      bytes = 0
    }
    chunk.push(rumor)
    bytes += bytesOf(rumor)
  }
  core.out.send(partner, { type: 'sync', wantsReply: false, rumors: chunk })
}

/**
 * Where we differ: a part with few members is told, a larger one is taken apart. What the partner has told in this
 * message is told in return when ours still differs, and not again after that, for some differences stay: a roster
 * that lags behind, a death that one side has yet to find out for itself.
 */
function answerParts(
  core: Core,
  from: NodeId,
  theirs: { readonly parts: readonly Part[]; readonly told: readonly Part[] },
): void {
  const isDifferent = ([path, hash]: Part): boolean => hashOfView(core, path) !== hash
  const answered = theirs.told.filter(isDifferent)
  const asked = theirs.parts.filter(isDifferent)
  if (answered.length === 0 && asked.length === 0) return
  const view = new View(core)
  const parts: Part[] = []
  const told: Part[] = []
  for (const [path] of answered) view.tell(path)
  for (const [path] of asked) {
    const isSmall = path.length === DEPTH_MAX || view.count(path) <= TOLD_MEMBERS_MAX
    if (isSmall && view.tell(path)) told.push([path, hashOfView(core, path)])
    if (!isSmall && parts.length < PARTS_MAX)
      for (const child of childrenOf(path)) parts.push([child, hashOfView(core, child)])
  }
  core.out.send(from, { type: 'sync', wantsReply: false, rumors: view.rumors, parts, told })
}

/** Everybody, ourselves included, by smallest part; and what of it is told in one message. */
class View {
  readonly rumors: Rumor[] = []
  readonly #core: Core
  readonly #members: Map<string, Member[]>
  #bytes = 0

  constructor(core: Core) {
    this.#core = core
    this.#members = Map.groupBy([core.self, ...core.peers.all()], ({ id }) => pathOf(id))
  }

  count(path: string): number {
    return this.#in(path).length
  }

  /** False when the message is full. */
  tell(path: string): boolean {
    if (this.#bytes >= SYNC_BYTES_MAX) return false
    for (const member of this.#in(path)) {
      const rumor = rumorAbout(this.#core, member)
      this.rumors.push(rumor)
      this.#bytes += bytesOf(rumor)
    }
    return true
  }

  #in(path: string): Member[] {
    if (path.length === DEPTH_MAX) return this.#members.get(path) ?? []
    return [...this.#members].flatMap(([smallest, members]) => (smallest.startsWith(path) ? members : []))
  }
}

/** Of all members, ourselves included. */
const hashOfView = (core: Core, path: string): number =>
  (core.peers.digest.hash(path) + partHash(core.self, path)) >>> 0
