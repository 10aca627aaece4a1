/** Runs on every node and does something on the leader only: there it keeps the planner, the warden and the inspector alive. */
import type { Doubt, Member } from '../../gossip/index.ts'
import type { ActorRef, Behavior } from '../actor/actor.ts'
import type { Consensus } from '../consensus/consensus.ts'
import { type InspectorMessage, inspectorActor } from './inspector.actor.ts'
import { type PlannerMessage, plannerActor } from './planner.actor.ts'
import type { KeeperPolicy } from './quorum-keeper.ts'
import type { Seats } from './seat-words.ts'
import { type WardenMessage, wardenActor } from './warden.actor.ts'

export type ControllerDeps = {
  readonly id: string
  /** `onLeadership` says true only once the leader's state holds all that was ever committed. */
  readonly consensus: Consensus & { onLeadership(listener: (isLeading: boolean) => void): () => void }
  /** Gossip's view, as of now. */
  readonly members: () => readonly Member[]
  /** Whom gossip doubts, and who says so. */
  readonly doubts: () => readonly Doubt[]
  /** Decides between equal nodes; drawn anew for each plan. */
  readonly seed: () => number
  readonly policy?: Partial<KeeperPolicy>
  readonly tellSeats?: (seats: () => Seats) => void
}

export type ControllerMessage =
  | { readonly type: 'controller/LeadershipChanged'; readonly isLeading: boolean }
  | { readonly type: 'controller/MembersChanged' }

type Office = {
  readonly planner: ActorRef<PlannerMessage>
  readonly warden: ActorRef<WardenMessage>
  readonly inspector: ActorRef<InspectorMessage>
}

export const controllerActor = (deps: ControllerDeps): Behavior<ControllerMessage> => {
  let office: Office | null = null
  let unsubscribe: () => void = () => undefined
  return {
    start(ctx) {
      unsubscribe = deps.consensus.onLeadership(isLeading =>
        ctx.self.send({ type: 'controller/LeadershipChanged', isLeading }),
      )
    },
    stop: () => unsubscribe(),
    receive(message, ctx) {
      switch (message.type) {
        case 'controller/MembersChanged':
          return office?.warden.send({ type: 'warden/MembersChanged' })
        case 'controller/LeadershipChanged':
          if (office !== null) {
            ctx.stop(office.planner)
            ctx.stop(office.warden)
            ctx.stop(office.inspector)
            office = null
          }
          if (!message.isLeading) return
          office = {
            planner: ctx.spawn('planner', () => plannerActor(deps)),
            warden: ctx.spawn('warden', () => wardenActor(deps)),
            inspector: ctx.spawn('inspector', () => inspectorActor(deps)),
          }
          return
      }
    },
  }
}
