/** Views that tell who may come in and what has happened: tokens without their secrets, events. */
import type { ClusterEvent, Token } from '../../../scheduler/index.ts'
import type { Watched } from '../gateway.ts'
import { isoTime, type Picture } from './picture.ts'
import type { EventView, TokenView } from './schema.ts'

/** Newest first. */
export const tokensView = ({ state, nowMs }: Picture): readonly TokenView[] =>
  [...state.tokens.values()]
    .sort((a, b) => b.createdAtMs - a.createdAtMs)
    .map(token => tokenView(token, nowMs))

const tokenView = (token: Token, nowMs: number): TokenView => ({
  id: token.id,
  kind: token.kind,
  role: token.role,
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

/** A gap is told as an event, so that a reader of lines cannot miss it. */
export async function* eventsView(
  watched: AsyncIterable<Watched>,
  nowMs: () => number,
): AsyncGenerator<EventView> {
  for await (const item of watched) {
    if (item.type === 'event') yield eventView(item.event)
    else
      yield {
        index: item.fromIndex,
        at: isoTime(nowMs()),
        subject: 'events',
        verb: 'gap',
        text: `events from index ${item.fromIndex} on are no longer kept`,
      }
  }
}
