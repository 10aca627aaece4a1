/** Puts agreement together for one node: the raft actor, the submit actor, the store, and the `Consensus` face over them. */
import { defaultOptions } from '../../raft/index.ts'
import { mayUse, type Outcome } from '../../scheduler/index.ts'
import type { ActorSystem } from '../actor/system.ts'
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Transport } from '../transport/transport.ts'
import type { Consensus, PeerId, Recovered } from './consensus.ts'
import { proposeHandler } from './propose.ts'
import { raftActor } from './raft.actor.ts'
import type {
  ConfigureReply,
  RaftListener,
  RaftSettings,
  RecoverReply,
  TransferReply,
} from './raft-protocol.ts'
import { idleStatus } from './raft-status.ts'
import { encodeRequest, randomRequestId } from './request.ts'
import type { LogStore, SnapshotStore } from './storage.ts'
import { createStore } from './store.ts'
import { type SubmitMessage, type SubmitSettings, submitActor } from './submit.actor.ts'
import { tooLarge, tooLate } from './submit-failures.ts'

export type ConsensusOptions = Partial<RaftSettings> & { readonly submit?: Partial<SubmitSettings> }

export type ConsensusParts = {
  readonly system: ActorSystem
  /** Not yet started: its handlers for `raft` and `propose` are set here. */
  readonly transport: Transport
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly logStore: LogStore
  readonly snapshotStore: SnapshotStore
  /** Keeps a copy of what is on the disk beside it and says where; without it nothing is kept. */
  readonly keepCopy?: (name: string) => Promise<string>
  readonly id: PeerId
  /** An unused disk founds a cluster of which this node is the only voter; without it, it waits to be added to one. */
  readonly bootstrap: boolean
  readonly options?: ConsensusOptions
}

export type RunningConsensus = Consensus & {
  /**
   * Calls the listener with true once this node leads and its state holds all that was ever committed, and with false
   * when it leads no more. Called at once when it leads now. The returned function ends it.
   */
  onLeadership(listener: (isLeading: boolean) => void): () => void
  /** Equal on all nodes whose state has the same index; walks the whole state. */
  digest(): string
  /** Ends the actors; what waits is refused. The stores belong to the caller. */
  stop(): Promise<void>
}

const TICK_MS = 25
/** Bounded by what the transport queues and by the submit actor; a full mailbox means that the loop stands still. */
const RAFT_MAILBOX_MAX = 65_536
const SUBMIT_MAILBOX_MAX = 65_536

const settingsOf = (
  options: ConsensusOptions,
): { readonly raft: RaftSettings; readonly submit: SubmitSettings } => {
  const { submit, ...given } = options
  const tickMs = options.tickMs ?? TICK_MS
  const core = options.core ?? defaultOptions(tickMs)
  const electionMsMax = core.electionTicksMax * tickMs
  return {
    raft: {
      tickMs,
      core,
      snapshotEntries: 10_000,
      snapshotBytes: 8 * 1024 * 1024,
      restMs: 30_000,
      diskRetryMs: 2_000,
      ...given,
    },
    submit: {
      pendingMax: 4_096,
      retryMs: 50,
      attemptMs: 2 * electionMsMax,
      leaderlessMs: 1.5 * electionMsMax,
      patienceMs: electionMsMax,
      ...submit,
    },
  }
}

/** Resolves once the disk is read and all that it knows to be committed is applied. Throws what the disk throws (storage.ts). */
export const createConsensus = async (parts: ConsensusParts): Promise<RunningConsensus> => {
  const { system, transport, clock, id } = parts
  const settings = settingsOf(parts.options ?? {})
  const log = parts.log.child({ part: 'consensus' })
  const store = createStore(log)
  const view = { current: () => idleStatus(id, { appliedIndex: 0, fatal: null }) }
  const leadership = createLeadership()
  const { promise: started, resolve: onStarted, reject: onNotStarted } = Promise.withResolvers<void>()

  const tellSubmit = (message: SubmitMessage): void => submit.send(message)
  const listener: RaftListener = {
    started() {
      tellSubmit({ type: 'submit/Fatal', failure: null })
      onStarted()
    },
    failed(failure) {
      tellSubmit({ type: 'submit/Fatal', failure })
      onNotStarted(failure)
    },
    settled: settled => tellSubmit({ type: 'submit/Settled', settled }),
    leaderChanged: (leader, term) => tellSubmit({ type: 'submit/LeaderChanged', leader, term }),
    leading: leadership.set,
  }
  const raft = system.spawn(
    'raft',
    () =>
      raftActor({
        id,
        bootstrap: parts.bootstrap,
        settings: settings.raft,
        logStore: parts.logStore,
        snapshotStore: parts.snapshotStore,
        store,
        listener,
        keepCopy: async name => (await parts.keepCopy?.(name)) ?? null,
        send: (to, message) => transport.send(to, 'raft', message),
        view,
      }),
    { mailboxMax: RAFT_MAILBOX_MAX },
  )
  const submit = system.spawn(
    'submit',
    () =>
      submitActor({
        self: id,
        settings: settings.submit,
        send: (to, ask) => transport.send(to, 'propose', ask),
        raft,
        store,
        leader: () => view.current().leader,
        hasConfiguration: () => view.current().voters.length > 0,
      }),
    { mailboxMax: SUBMIT_MAILBOX_MAX },
  )

  transport.onMessage('raft', (from, message) => raft.send({ type: 'raft/Received', from, message }))
  transport.onMessage(
    'propose',
    proposeHandler({
      raft,
      store,
      entryBytesMax: settings.raft.core.entryBytesMax,
      send: (to, refused) => transport.send(to, 'propose', refused),
      onRefused: ({ requestId, attempt, reason, detail }) =>
        tellSubmit({
          type: 'submit/Answered',
          key: requestId,
          attempt,
          reply: { type: 'refused', reason, detail },
        }),
    }),
  )
  transport.onPeer(event => {
    if (event.type !== 'disconnected' || event.cause === 'idle') return
    tellSubmit({ type: 'submit/PeerGone', peer: event.peer })
    if (event.cause !== 'timeout') raft.send({ type: 'raft/PeerGone', peer: event.peer })
  })
  await started.catch(failure => {
    system.stop(submit)
    system.stop(raft)
    throw failure
  })

  return {
    submit: (command, options) =>
      new Promise<Outcome>((resolve, reject) => {
        const requestId = options.requestId ?? randomRequestId(parts.random)
        const afterIndex = Math.max(store.state().index, view.current().commitIndex)
        const data = encodeRequest({
          requestId,
          command,
          afterIndex,
          ...(options.by === undefined || !mayUse(store.state(), 'audit')
            ? {}
            : { by: { ...options.by, node: id } }),
        })
        if (data.byteLength > settings.raft.core.entryBytesMax) return reject(tooLarge())
        const settle = (outcome: Outcome): void => {
          if (outcome.ok || outcome.refusal.code !== 'E_TIMEOUT') resolve(outcome)
          else reject(tooLate(outcome.refusal.message))
        }
        const { timeoutMs } = options
        submit.send({ type: 'submit/Write', requestId, data, timeoutMs, resolve: settle, reject })
      }),
    barrier: ({ timeoutMs }) =>
      new Promise((resolve, reject) => submit.send({ type: 'submit/Read', timeoutMs, resolve, reject })),
    state: store.state,
    subscribe: store.subscribe,
    eventsFrom: store.eventsFrom,
    digest: store.digest,
    status: () => view.current(),
    onLeadership: leadership.subscribe,
    changeConfiguration: ({ voters, learners }) =>
      new Promise((resolve, reject) =>
        raft.send({
          type: 'raft/Configure',
          voters,
          learners,
          replyTo: reply => settleConfigure(reply, resolve, reject),
        }),
      ),
    recover: () =>
      new Promise((resolve, reject) =>
        raft.send({
          type: 'raft/Recover',
          mark: randomRequestId(parts.random),
          replyTo: reply => settleRecover(reply, resolve, reject),
        }),
      ),
    transferLeadership: ({ to, timeoutMs }) =>
      new Promise((resolve, reject) => {
        const cancel = clock.after(timeoutMs, () => reject(notHandedOver('timedOut')))
        const replyTo = (reply: TransferReply): void => {
          cancel()
          if (reply.type === 'done') resolve()
          else reject(notHandedOver(reply.reason))
        }
        raft.send({ type: 'raft/Transfer', to: to ?? null, replyTo })
      }),
    async stop() {
      system.stop(submit)
      system.stop(raft)
    },
  }
}

const createLeadership = () => {
  const listeners = new Set<(isLeading: boolean) => void>()
  let isLeading = false
  return {
    set(next: boolean): void {
      isLeading = next
      for (const listener of [...listeners]) listener(next)
    },
    subscribe(listener: (isLeading: boolean) => void): () => void {
      listeners.add(listener)
      if (isLeading) listener(true)
      return () => void listeners.delete(listener)
    },
  }
}

const settleConfigure = (
  reply: ConfigureReply,
  resolve: () => void,
  reject: (failure: Failure) => void,
): void => {
  if (reply.type === 'done') return resolve()
  if (reply.reason === 'notLeader')
    return reject(new Failure('E_NO_LEADER', reply.detail || 'this node does not lead'))
  if (reply.reason === 'invalid') return reject(new Failure('E_INVALID', reply.detail))
  if (reply.reason === 'busy') return reject(new Failure('E_BUSY', 'too much waits for a quorum'))
  reject(new Failure('E_CONFLICT', `the membership cannot be changed now: ${reply.reason}`))
}

const settleRecover = (
  reply: RecoverReply,
  resolve: (recovered: Recovered) => void,
  reject: (thrown: unknown) => void,
): void => {
  switch (reply.type) {
    case 'done':
      return resolve(reply)
    case 'failed':
      return reject(reply.thrown)
    case 'refused':
      return reject(
        new Failure(
          'E_CONFLICT',
          reply.leader === null
            ? { message: 'this node holds no log to found the cluster anew from', try: 'tutti raft' }
            : { message: 'the cluster has a leader: nothing needs to be recovered', try: 'tutti raft' },
        ),
      )
  }
}

const notHandedOver = (reason: string): Failure =>
  reason === 'timedOut'
    ? new Failure('E_TIMEOUT', 'no other voter took over leadership in time')
    : new Failure('E_CONFLICT', `leadership cannot be handed over: ${reason}`)
