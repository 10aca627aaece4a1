/** What the core says of itself, for the node's log: rare changes for an operator, the conversation for whoever debugs. */
import type { Fact } from '../../raft/index.ts'
import type { Log } from '../log.ts'

export const logFact = (log: Log, fact: Fact): void => {
  if (fact.type === 'steppedDown') log.warn('stepped down', { ...fact })
  else if (fact.type === 'leaderChanged' || fact.type === 'configurationCommitted')
    log.info('raft', { ...fact })
  else log.debug('raft', { ...fact })
}
