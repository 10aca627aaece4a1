/** What the core says of itself, for the node's log: rare changes for an operator, the conversation for whoever debugs. */
import type { Fact } from '../../raft/index.ts'
import { Incidents } from '../incidents.ts'
import type { Log } from '../log.ts'

/** Reasons for which the core drops a message that no sound member sends. */
const OFFENCES: ReadonlyMap<string, string> = new Map([
  ['it has no known shape', 'a peer sends what is no Raft message'],
  ['the sender is no voter', 'a node without a vote claims to lead, and is not heard'],
  ['only the leader hands over', 'a node that does not lead hands leadership over, and is not heard'],
])

export class FactLog {
  #incidents: Incidents | null = null

  tell(fact: Fact, { log, monotonicMs }: { readonly log: Log; monotonicMs(): number }): void {
    const offence = fact.type === 'messageDropped' ? OFFENCES.get(fact.reason) : undefined
    if (fact.type === 'messageDropped' && offence !== undefined) {
      this.#incidents ??= new Incidents(log)
      this.#incidents.note(offence, { peer: fact.from, nowMs: monotonicMs() })
    }
    if (fact.type === 'steppedDown') log.warn('stepped down', { ...fact })
    else if (fact.type === 'leaderChanged' || fact.type === 'configurationCommitted')
      log.info('raft', { ...fact })
    else log.debug('raft', { ...fact })
  }
}
