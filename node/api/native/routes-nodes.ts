/** Routes that change who is a member, who votes and who leads: drain, activate, remove, leave, voters, transfer. */
import { type Node, VOTERS_MAX_CHOICES, VOTERS_MAX_DEFAULT } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import type { Handler } from '../dialect.ts'
import { nameOfNode, nodeNamed } from '../node-name.ts'
import { authorOf, fieldsOf, flagOf, timeoutOf } from '../request.ts'
import type { NativeRoute } from './access.ts'
import { type Picture, pictureOf } from './picture.ts'
import { livingVoters } from './view-cluster.ts'
import { type NativeDeps, noteAct, stateToChange, submit, WRITE_TIMEOUT_MS, written } from './write.ts'
import { setZoneLoss } from './zone-loss.ts'

export const nodeRoutes = (deps: NativeDeps): readonly NativeRoute[] => {
  const { gateway, consensus, peers } = deps

  const switchTo =
    (type: 'node/Drain' | 'node/Activate', tell: (name: string, isChanged: boolean) => string): Handler =>
    async (request, { name = '' }) => {
      await fieldsOf(request, [])
      const node = nodeNamed(await stateToChange(gateway, request), name)
      const index = await submit(deps, request, { type, id: node.id })
      const changed = (gateway.state().nodes.get(node.id)?.modifiedIndex ?? index) >= index
      return written({ index, changed, message: tell(node.name, changed) })
    }

  const drain = switchTo('node/Drain', (name, changed) =>
    changed ? `${name} is drained: its pods move away, it gets no new ones` : `${name} is drained already`,
  )
  const activate = switchTo('node/Activate', (name, changed) =>
    changed ? `${name} takes pods again` : `${name} takes pods already`,
  )

  const remove: Handler = async (request, { name = '' }) => {
    const node = nodeNamed(await stateToChange(gateway, request), name)
    if (node.state === 'left')
      return written({
        index: gateway.state().index,
        changed: false,
        message: `${node.name} is no member any more`,
      })
    checkRemoval(pictureOf(deps), node, flagOf(request, 'force'))
    const index = await submit(deps, request, { type: 'node/Leave', id: node.id })
    return written({
      index,
      changed: true,
      message: `${node.name} is removed; its key is not admitted again`,
    })
  }

  const leave: Handler = async request => {
    await fieldsOf(request, [])
    await deps.leave(authorOf(request.caller))
    return written({
      index: gateway.state().index,
      changed: true,
      message: `${deps.node.name} has moved its work away and left the cluster`,
    })
  }

  const setVoters: Handler = async request => {
    const { count } = await fieldsOf(request, ['count'])
    if (typeof count !== 'number' || !VOTERS_MAX_CHOICES.includes(count))
      throw new Failure(
        'E_INVALID',
        {
          message: `count must be one of ${VOTERS_MAX_CHOICES.join(', ')}`,
          why: 'an even number of voters bears no more losses than the odd one below it',
          try: 'tutti voters 5',
        },
        { facts: { field: 'count' } },
      )
    const before = (await stateToChange(gateway, request)).cluster?.votersMax ?? VOTERS_MAX_DEFAULT
    const index = await submit(deps, request, { type: 'cluster/SetVoters', votersMax: count })
    const changed = before !== count
    const message = `at most ${count} nodes vote${changed ? '' : ' already'}`
    return written({ index, changed, message })
  }

  const transfer: Handler = async request => {
    const { to } = await fieldsOf(request, ['to'])
    if (to !== undefined && typeof to !== 'string')
      throw new Failure('E_INVALID', 'to must be the name of a node', { facts: { field: 'to' } })
    const state = gateway.state()
    const target = to === undefined ? null : votingNode(pictureOf(deps), nodeNamed(state, to))
    const { leader } = gateway.status()
    if (leader === null) throw noLeader()
    if (target?.id === leader)
      return written({ index: state.index, changed: false, message: `${target.name} leads already` })
    if (leader !== deps.node.id) {
      if (request.isForwarded) throw noLeader()
      return peers.forward({ id: leader, name: nameOfNode(state, leader) }, request)
    }
    const timeoutMs = timeoutOf(request, WRITE_TIMEOUT_MS)
    await consensus.transferLeadership(target === null ? { timeoutMs } : { to: target.id, timeoutMs })
    noteAct(deps, request, {
      action: 'transfer',
      target: target === null ? 'cluster' : `node/${target.name}`,
    })
    const message = `${deps.node.name} has handed leadership ${target === null ? 'over' : `to ${target.name}`}`
    return written({ index: gateway.state().index, changed: true, message })
  }

  return [
    { method: 'POST', path: '/nodes/:name/drain', handler: drain },
    { method: 'POST', path: '/nodes/:name/activate', handler: activate },
    { method: 'DELETE', path: '/nodes/:name', handler: remove },
    { method: 'POST', path: '/leave', handler: leave },
    { method: 'POST', path: '/voters', handler: setVoters },
    { method: 'POST', path: '/zone-loss', handler: setZoneLoss(deps) },
    { method: 'POST', path: '/transfer', handler: transfer },
  ]
}

const noLeader = (): Failure =>
  new Failure('E_NO_LEADER', { message: 'nobody leads at the moment', try: 'tutti raft' })

const votingNode = ({ status }: Picture, node: Node): Node => {
  if (status.voters.includes(node.id)) return node
  throw new Failure(
    'E_INVALID',
    { message: `${node.name} cannot lead`, why: 'it is not a voter', try: 'tutti nodes' },
    { facts: { node: node.name } },
  )
}

/**
 * A node that runs leaves by itself, so that its work moves first, unless it is not to be trusted any more; and the rest
 * must still be able to decide.
 */
const checkRemoval = (picture: Picture, node: Node, isForced: boolean): void => {
  const believed = picture.members.get(node.id)?.state
  const isRunning =
    believed === undefined ? node.state === 'alive' : believed === 'alive' || believed === 'suspect'
  if ((isRunning && !isForced) || node.id === picture.self.id)
    throw new Failure(
      'E_CONFLICT',
      {
        message: `${node.name} is running`,
        why: 'only a dead node is removed; one that runs moves its work away and leaves',
        try: `on ${node.name}: tutti leave; if it must go at once: elsewhere, tutti node rm ${node.name} --force`,
      },
      { facts: { node: node.name } },
    )
  const { voters } = picture.status
  const rest = voters.filter(id => id !== node.id)
  const living = livingVoters(picture).filter(id => id !== node.id)
  const majority = Math.floor(rest.length / 2) + 1
  if (voters.includes(node.id) && living.length < majority)
    throw new Failure(
      'E_NO_QUORUM',
      {
        message: `${node.name} cannot be removed now`,
        why: `of the other ${rest.length} voters only ${living.length} are alive: they could decide nothing any more`,
        try: 'start the voters that are missing first: tutti members',
      },
      { facts: { node: node.name, living: living.length, majority } },
    )
}
