// The log on its way through relays, as data: what a learner that pulls knows, and what its upstream keeps of it.
import type { AssignUpstreams, Pull } from '../message.ts'
import type { NodeId } from '../saved.ts'

/** How far a log and its knowledge of the leader are: whoever has more of any of it has news. */
export type Standing = {
  readonly term: number
  readonly commit: number
  /** The newest round of this term's leader that was heard of. */
  readonly round: number
}

/** A learner's order to pull the log, and how it gets on. Ages are in ticks. */
export type Feed = {
  /** The leader's who gave the order. */
  readonly term: number
  /** In the order in which they are tried; never empty. */
  readonly upstreams: readonly NodeId[]
  readonly reportTicks: number
  readonly patienceTicks: number
  position: number
  /** Every upstream was tried, and none had a sign of the leader. */
  isStarved: boolean
  /** What the last pull said. */
  asked: Standing
  ticksSincePull: number
  ticksSinceReport: number
  /** Since a new sign of the leader came through this upstream. */
  ticksSinceNews: number
}

/** The last pull of somebody who gets the log from us. It is answered once, when there are news. */
export type Child = {
  readonly asked: Standing
  isAnswered: boolean
  ticks: number
  /** Of this pull or an earlier one. */
  ticksSinceAnswer: number
}

export const startFeed = (order: AssignUpstreams, asked: Standing): Feed => ({
  term: order.term,
  upstreams: order.upstreams,
  reportTicks: order.reportTicks,
  patienceTicks: order.patienceTicks,
  position: 0,
  isStarved: false,
  asked,
  ticksSincePull: 0,
  ticksSinceReport: 0,
  ticksSinceNews: 0,
})

export const startChild = (
  { term, commit, round }: Pull,
  ticksSinceAnswer = Number.POSITIVE_INFINITY,
): Child => ({
  asked: { term, commit, round },
  isAnswered: false,
  ticks: 0,
  ticksSinceAnswer,
})

/** Whether `standing` has something to tell to whoever stood at `asked`, whose term is no newer. */
export const hasNewsFor = (asked: Standing, standing: Standing): boolean =>
  standing.term > asked.term || standing.commit > asked.commit || standing.round > asked.round
