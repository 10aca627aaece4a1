/** Views that tell who may come in and what has happened: tokens without their secrets, events. */
import type { ClusterEvent, Token } from '../../../scheduler/index.ts'
import { isOwn } from '../access.ts'
import type { Watched } from '../gateway.ts'
import type { Caller } from '../request.ts'
import { isoTime, type Picture } from './picture.ts'
import type { EventView } from './schema.ts'
import type { TokenView } from './schema-access.ts'

/** Newest first. */
export const tokensView = ({ state, nowMs }: Picture): readonly TokenView[] =>
  [...state.tokens.values()]
    .sort((a, b) => b.createdAtMs - a.createdAtMs)
    .map(token => tokenView(token, nowMs))

const tokenView = (token: Token, nowMs: number): TokenView => ({
  id: token.id,
  kind: token.kind,
  name: token.name ?? null,
  role: token.role,
  namespace: token.namespace ?? null,
  grants: token.grants ?? [],
  usesLeft: token.usesLeft,
  expiresAt: isoTime(token.expiresAtMs),
  state: tokenState(token, nowMs),
})

export const tokenState = (token: Token, nowMs: number): TokenView['state'] => {
  if (token.revoked) return 'revoked'
  if (token.expiresAtMs <= nowMs) return 'expired'
  return token.usesLeft === 0 ? 'spent' : 'valid'
}

const eventView = (event: ClusterEvent): EventView => ({
  index: event.index,
  at: isoTime(event.atMs),
  subject: event.subject,
  verb: event.verb,
  text: event.text,
})

/** What is about a workload or a pod belongs to its namespace; the rest is the whole cluster's. */
const isShown = ({ subject }: ClusterEvent, caller: Caller): boolean => {
  if (caller.namespace === null) return true
  const [, name] = /^(?:workload|pod)\/(.+)$/.exec(subject) ?? []
  return name !== undefined && isOwn(name, caller)
}

/** A gap is told as an event, so that a reader of lines cannot miss it. */
export async function* eventsView(
  watched: AsyncIterable<Watched>,
  { nowMs, caller }: { nowMs(): number; readonly caller: Caller },
): AsyncGenerator<EventView> {
  for await (const item of watched) {
    if (item.type === 'event') {
      if (isShown(item.event, caller)) yield eventView(item.event)
    } else
      yield {
        index: item.fromIndex,
        at: isoTime(nowMs()),
        subject: 'events',
        verb: 'gap',
        text: `events from index ${item.fromIndex} on are no longer kept`,
      }
  }
}
