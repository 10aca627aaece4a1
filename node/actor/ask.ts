/** A question to an actor from outside the actor world (HTTP, CLI), with a deadline. Actors themselves never ask. */
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { ActorRef } from './actor.ts'

/** Rejects with E_TIMEOUT when no reply came in time; a later reply is ignored. */
export const ask = <Message, Reply>(
  actor: ActorRef<Message>,
  question: (replyTo: ActorRef<Reply>) => Message,
  options: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const cancel = options.clock.after(options.timeoutMs, () =>
      reject(new Failure('E_TIMEOUT', `${actor.path} did not answer within ${options.timeoutMs} ms`)),
    )
    actor.send(
      question({
        path: `${actor.path}?`,
        send(reply) {
          cancel()
          resolve(reply)
        },
      }),
    )
  })
