/** On the leader: looks at every node's health now and then, and drains one that has ailed for long. Writes the reason. */
import type { Member } from '../../gossip/index.ts'
import { isTrusted, mayUse, type NodeId, type State, whyNoRoomElsewhere } from '../../scheduler/index.ts'
import type { Behavior, Context } from '../actor/actor.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { messageOf } from '../errors.ts'
import { healthOfAll } from './health/health-of-all.ts'
import { HealthWatch, type Patient } from './health/health-watch.ts'

export type InspectorDeps = {
  readonly consensus: Pick<Consensus, 'state' | 'status' | 'submit'>
  readonly members: () => readonly Member[]
}

export type InspectorMessage = { readonly type: 'inspector/Look' } | { readonly type: 'inspector/Drained' }

const LOOK_MS = 5_000
const SUBMIT_TIMEOUT_MS = 5_000

export const inspectorActor = ({ consensus, members }: InspectorDeps): Behavior<InspectorMessage> => {
  const watch = new HealthWatch()
  let isDraining = false

  const look = (ctx: Context<InspectorMessage>): void => {
    const state = consensus.state()
    if (isDraining || consensus.status().role !== 'leader' || !mayUse(state, 'healthDrain')) return
    const atMs = ctx.wallMs()
    const drain = watch.judge(patientsOf(state, members(), atMs), {
      nowMs: ctx.monotonicMs(),
      whyNot: id => whyNoRoomElsewhere(state, id as NodeId, atMs),
    })
    if (drain === null) return
    const { id, reason } = drain
    ctx.log.warn('an ailing node is drained', { id, reason })
    isDraining = true
    ctx.pipe(
      consensus.submit(
        { type: 'node/Drain', atMs, id: id as NodeId, ailing: reason },
        { timeoutMs: SUBMIT_TIMEOUT_MS },
      ),
      () => ({ type: 'inspector/Drained' }),
      thrown => {
        ctx.log.debug('drain not written', { id, reason: messageOf(thrown) })
        return { type: 'inspector/Drained' }
      },
    )
  }

  return {
    start(ctx) {
      ctx.after(LOOK_MS, { type: 'inspector/Look' })
    },
    receive(message, ctx) {
      switch (message.type) {
        case 'inspector/Look':
          ctx.after(LOOK_MS, { type: 'inspector/Look' })
          return look(ctx)
        case 'inspector/Drained':
          isDraining = false
          return
      }
    },
  }
}

const patientsOf = (state: State, members: readonly Member[], nowMs: number): readonly Patient[] => {
  const known = new Map(members.map(member => [member.id, member]))
  return [...healthOfAll(state, known, nowMs)].map(([id, health]) => {
    const node = state.nodes.get(id)!
    return {
      id,
      ...health,
      isAlive: node.state === 'alive',
      isDrained: !node.schedulable,
      isAiling: node.ailing !== undefined,
      isTrusted: isTrusted(node, nowMs),
      podCount: state.podsByNode.get(id)?.size ?? 0,
    }
  })
}
