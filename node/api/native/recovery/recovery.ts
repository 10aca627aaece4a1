/** What the nodes that answer still have, whether that calls for a recovery, and from which of them. Judging is pure; asking has a deadline. */
import type { Clock } from '../../../clock.ts'
import { Failure, messageOf } from '../../../errors.ts'
import type { PeerApi } from '../../proxy.ts'
import type { ApiRequest } from '../../request.ts'
import { pictureOf } from '../picture.ts'
import type { List, RaftView, RecoveryView, SurvivorView } from '../schema.ts'
import { compareText, raftView } from '../view-cluster.ts'
import type { NativeDeps } from '../write.ts'

/** Three heartbeats of a slow network and then some; a node that needs longer is no survivor to build on. */
const ASK_TIMEOUT_MS = 3_000

type Asked = { readonly name: string; readonly answer: RaftView | string }

/** Asks every node of the roster, this one included. */
export const survey = async (deps: NativeDeps, request: ApiRequest): Promise<RecoveryView> => {
  const picture = pictureOf(deps)
  const others = [...picture.state.nodes.values()].filter(
    node => node.state !== 'left' && node.id !== deps.node.id,
  )
  const asked = await Promise.all(others.map(node => askOne(deps, node, request)))
  return judge(picture.self.name, [{ name: picture.self.name, answer: raftView(picture) }, ...asked])
}

const askOne = async (
  { peers, clock }: { readonly peers: PeerApi; readonly clock: Clock },
  node: { readonly id: string; readonly name: string },
  request: ApiRequest,
): Promise<Asked> => {
  const deadline = new AbortController()
  const cancel = clock.after(ASK_TIMEOUT_MS, () => deadline.abort())
  const signal = AbortSignal.any([deadline.signal, request.signal])
  const path = '/tutti/v1/raft'
  try {
    const reply = await peers.forward(node, {
      ...request,
      method: 'GET',
      path,
      query: {},
      signal,
      body: async () => undefined,
    })
    let text = ''
    if (typeof reply.body === 'string') text = reply.body
    else for await (const piece of reply.body) text += piece
    const [answer] = (JSON.parse(text) as List<RaftView>).items
    return { name: node.name, answer: answer ?? 'it gave no answer' }
  } catch (thrown) {
    return { name: node.name, answer: thrown instanceof Failure ? thrown.message : messageOf(thrown) }
  } finally {
    cancel()
  }
}

/** Logs are compared as in an election (Raft §5.4.1), but by epoch first. */
const isMoreAdvanced = (one: RaftView, other: RaftView): boolean => {
  if (one.epoch !== other.epoch) return one.epoch > other.epoch
  if (one.lastTerm !== other.lastTerm) return one.lastTerm > other.lastTerm
  return one.lastIndex > other.lastIndex
}

/** `self` is chosen among equals: what need not move stays where the operator is. */
export const judge = (self: string, asked: readonly Asked[]): RecoveryView => {
  const answers = asked.flatMap(({ answer }) => (typeof answer === 'string' ? [] : [answer]))
  const best = answers
    .filter(answer => answer.fatal === null && answer.lastIndex > 0)
    .sort((a, b) => Number(b.node === self) - Number(a.node === self) || compareText(a.node, b.node))
    .reduce<RaftView | null>((most, one) => (most === null || isMoreAdvanced(one, most) ? one : most), null)
  const voters = best?.voters ?? []
  return {
    survivors: asked.map(one => survivorOf(one, best)),
    best: best?.node ?? null,
    voters,
    refusal: refusalOf(answers, best),
  }
}

const survivorOf = ({ name, answer }: Asked, best: RaftView | null): SurvivorView => ({
  node: name,
  isVoter: best?.voters.includes(name) === true,
  isMostAdvanced: best?.node === name,
  raft: typeof answer === 'string' ? null : answer,
  trouble: typeof answer === 'string' ? answer : answer.fatal,
})

const refusalOf = (answers: readonly RaftView[], best: RaftView | null): RecoveryView['refusal'] => {
  if (best === null)
    return {
      message: 'no node that answers has a log',
      why: 'there is nothing to found the cluster anew from',
      try: 'start a node that was a member, or restore a backup: tutti restore FILE',
    }
  const follower = answers.find(one => one.leader !== null && one.hasQuorum && one.epoch >= best.epoch)
  if (follower !== undefined)
    return {
      message: `nothing needs to be recovered: ${follower.leader} leads`,
      why: `${follower.node} follows it, so a quorum lives`,
      try: 'tutti raft',
    }
  const living = best.voters.filter(name =>
    answers.some(one => one.node === name && one.fatal === null && one.epoch === best.epoch),
  )
  // During a joint change the present voters alone decide nothing; a leader would have shown itself.
  if (best.isJoint || living.length <= best.voters.length / 2) return null
  return {
    message: `a quorum still lives: ${living.join(', ')} of the voters ${best.voters.join(', ')}`,
    why: 'they elect a leader by themselves within a second or two, and nothing is lost then',
    try: 'wait a moment, then: tutti raft',
  }
}

/** Throws E_CONFLICT unless the cluster may be founded anew, and from this very node. */
export const checkRecovery = (self: string, { refusal, best }: RecoveryView): void => {
  if (refusal !== null) throw new Failure('E_CONFLICT', refusal)
  if (best === self) return
  throw new Failure(
    'E_CONFLICT',
    {
      message: `${best} has a more advanced log than ${self}`,
      why: `what only ${best} has would be lost`,
      try: `on ${best}: tutti recover`,
    },
    { facts: { node: best } },
  )
}
