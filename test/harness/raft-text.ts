/** Raft in words: one short line per message, fact and result, for transcripts. */
import type {
  Configuration,
  Entry,
  Envelope,
  Fact,
  Message,
  Persist,
  Ready,
  Status,
} from '../../raft/index.ts'
import { textOf } from './raft-node.ts'

export const printReady = (id: string, ready: Ready, isVerbose: boolean): string[] => [
  ...ready.facts.map(fact => `${id}  ${printFact(fact)}`),
  ...ready.proposals.map(result =>
    result.type === 'accepted'
      ? `${id}  accepted ${result.key} at ${result.index}/${result.term}`
      : `${id}  refused ${result.key}: ${printFields(result.refusal)}`,
  ),
  ...(isVerbose && ready.persist ? [`${id}  writes ${printPersist(ready.persist)}`] : []),
  ...(ready.install ? [`${id}  installs ${ready.install.index}/${ready.install.term}`] : []),
  ...(ready.apply.length > 0 ? [`${id}  applies ${printEntries(ready.apply)}`] : []),
  ...ready.reads.map(read =>
    read.type === 'granted'
      ? `${id}  read ${read.key} granted at ${read.index}`
      : `${id}  read ${read.key} refused: ${read.reason}`,
  ),
]

export const printEnvelope = ({ from, to, message }: Envelope): string =>
  `${from}->${to}  ${printMessage(message)}`

export const printStatus = (status: Status): string => {
  const { id, role, term, vote, leader, commitIndex, firstIndex, lastIndex, lastTerm, persistedIndex } =
    status
  const head = `${id}: ${role} term=${term} vote=${vote} leader=${leader}`
  const log = `commit=${commitIndex} log=${firstIndex}..${lastIndex}/${lastTerm} durable=${persistedIndex}`
  const peers = status.peers.map(
    peer =>
      `\n   ${peer.id}: ${peer.state} match=${peer.match} next=${peer.next} inflight=${peer.inflightMessages}${peer.isVoter ? '' : ' learner'}`,
  )
  return `${head} ${log} ${printConfiguration(status.configuration)}${peers.join('')}`
}

export const printConfiguration = ({ voters, votersOutgoing, learners }: Configuration): string =>
  [
    `voters=${voters.join(',')}`,
    ...(votersOutgoing.length > 0 ? [`outgoing=${votersOutgoing.join(',')}`] : []),
    ...(learners.length > 0 ? [`learners=${learners.join(',')}`] : []),
  ].join(' ')

const printMessage = (message: Message): string => {
  switch (message.type) {
    case 'append': {
      const { term, prevIndex, prevTerm, commit, isNews, entries } = message
      const [what, content] = [isNews === true ? 'news' : 'append', printEntries(entries)]
      return `${what} term=${term} after=${prevIndex}/${prevTerm} commit=${commit} ${content}`.trimEnd()
    }
    case 'pulled': {
      const { term, leader, round, age, commit, commitAge, prevIndex, prevTerm, entries } = message
      return `pulled term=${term} leader=${leader} round=${round} age=${age} commit=${commit} commitAge=${commitAge} after=${prevIndex}/${prevTerm} ${printEntries(entries)}`.trimEnd()
    }
    case 'installSnapshot': {
      const { term, snapshot, offset, data, isLast } = message
      return `installSnapshot term=${term} ${snapshot.index}/${snapshot.term} bytes=${offset}+${data.length}${isLast ? ' last' : ''}`
    }
    default:
      return printFields(message)
  }
}

const printEntries = (entries: readonly Entry[]): string =>
  entries.map(entry => `${entry.index}/${entry.term}:${textOf(entry)}`).join(' ')

const printPersist = ({ sequence, hardState, snapshot, truncateFrom, entries, compact }: Persist): string =>
  [
    `#${sequence}`,
    ...(hardState ? [`term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`] : []),
    ...(snapshot ? [`snapshot=${snapshot.index}/${snapshot.term}`] : []),
    ...(truncateFrom !== null ? [`cut=${truncateFrom}..`] : []),
    ...(entries.length > 0 ? [printEntries(entries)] : []),
    ...(compact ? [`compact=${compact.snapshot.index} first=${compact.firstIndex}`] : []),
  ].join(' ')

const printFact = (fact: Fact): string => {
  if (!('configuration' in fact)) return printFields(fact)
  return `${fact.type} index=${fact.index} ${printConfiguration(fact.configuration)}`
}

const printFields = (value: object): string =>
  Object.entries(value)
    .map(([name, field]) => (name === 'type' || name === 'reason' ? String(field) : `${name}=${field}`))
    .join(' ')
