/**
 * The epoch at the door: every Raft message carries its sender's, and only those of one epoch speak to each other. A
 * cluster that was never recovered has none to carry.
 */
import { compareEpochs, type Epoch, isEpoch, type Message } from '../../../raft/index.ts'
import type { Log } from '../../log.ts'
import type { PeerId } from '../consensus.ts'
import type { RaftDeps, RaftRequest } from '../raft-protocol.ts'
import { livingLeader } from '../raft-status.ts'
import { enterEpoch, refound } from './refound.ts'
import type { Running } from './running.ts'

/** Answers a message of an older epoch: its sender was left behind by a recovery. */
type EpochNotice = { readonly type: 'epoch'; readonly term: 0; readonly epoch: Epoch }

/** What leaves this node. */
export const stamped = (message: Message, own: Epoch): Message | (Message & { readonly epoch: Epoch }) =>
  own.number === 0 ? message : { ...message, epoch: own }

const noticeOf = (own: Epoch): EpochNotice => ({ type: 'epoch', term: 0, epoch: own })

type Ctx = { readonly log: Log }

export class Epochs {
  readonly #deps: RaftDeps
  /** Told once each: they say it again with every message. */
  readonly #rivals = new Set<PeerId>()

  constructor(deps: RaftDeps) {
    this.#deps = deps
  }

  /** `speaks`: for the core. A promise: this node was left behind, and the core must end while it is kept. Null: dealt with. */
  meet(from: PeerId, message: object, running: Running, { log }: Ctx): 'speaks' | Promise<void> | null {
    const arrival = arrivalOf(message, running.epoch)
    switch (arrival.type) {
      case 'speaks':
        return 'speaks'
      case 'isBehind':
        this.#deps.send(from, noticeOf(running.epoch))
        return null
      case 'isAhead':
        return enterEpoch(this.#deps, arrival.epoch, running.core.status(), log)
      case 'ignored':
        if (arrival.rival !== null) this.#noteRival(from, log)
        return null
    }
  }

  /** An operator says that the other voters will never be back. The core must end while the promise is kept; null: refused. */
  recover(
    { mark, replyTo }: Extract<RaftRequest, { type: 'raft/Recover' }>,
    running: Running | null,
    { log }: Ctx,
  ): Promise<void> | null {
    const status = running?.core.status()
    const leader =
      status === undefined ? null : livingLeader(status, this.#deps.settings.core.electionTicksMax)
    if (running === null || status === undefined || status.lastIndex === 0 || leader !== null) {
      replyTo({ type: 'refused', leader })
      return null
    }
    const epoch = { number: running.epoch.number + 1, mark }
    return refound(this.#deps, epoch, log).then(replyTo, thrown => replyTo({ type: 'failed', thrown }))
  }

  #noteRival(from: PeerId, log: Log): void {
    if (this.#rivals.has(from)) return
    this.#rivals.add(from)
    log.error('this cluster was recovered twice, and a peer belongs to the other half', {
      peer: from,
      try: 'choose which half to keep, and on each node of the other: tutti repair --force',
    })
  }
}

type Arrival =
  /** For the core. */
  | { readonly type: 'speaks' }
  /** The sender is to be told of our epoch. */
  | { readonly type: 'isBehind' }
  /** We were left behind. */
  | { readonly type: 'isAhead'; readonly epoch: Epoch }
  /** Nothing to deal with; `rival`: the cluster was recovered twice, and the sender belongs to the other half. */
  | { readonly type: 'ignored'; readonly rival: Epoch | null }

/** What becomes of a message that has just come in. */
export const arrivalOf = (message: object, own: Epoch): Arrival => {
  const { type, epoch = null } = message as { readonly type?: unknown; readonly epoch?: unknown }
  if (epoch !== null && !isEpoch(epoch)) return { type: 'ignored', rival: null }
  switch (compareEpochs(epoch ?? { number: 0, mark: '' }, own)) {
    case 'same':
      return type === 'epoch' ? { type: 'ignored', rival: null } : { type: 'speaks' }
    case 'older':
      return { type: 'isBehind' }
    case 'newer':
      return { type: 'isAhead', epoch: epoch as Epoch }
    case 'rival':
      return { type: 'ignored', rival: epoch }
  }
}
