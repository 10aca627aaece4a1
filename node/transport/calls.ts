/**
 * Request and streamed answer over a pipe: one frame with the request, then value frames, then an end or an error
 * frame. A pipe that closes before its end frame is a broken call, never a complete one.
 */
import type { Clock } from '../clock.ts'
import { decode, encode, FRAME_BYTES_MAX } from '../codec.ts'
import { ERRORS, type ErrorCode, type ErrorFacts, Failure, failureOf } from '../errors.ts'
import type { Pipe } from './pipe.ts'
import type { Call, CallOptions, Responder } from './transport.ts'

const VALUE = 0
const ERROR = 1
const END = 2

/** Values that came but were not yet taken; beyond it the responder is slowed down. */
const UNREAD_BYTES_MAX = 1024 * 1024
const TEXT_CHARACTERS_MAX = 4_096

type ErrorFrame = {
  readonly code: string
  readonly message: string
  readonly why: string | null
  readonly try: string | null
  readonly facts: ErrorFacts
}

const errorFrameOf = (failure: Failure): ErrorFrame => ({
  code: failure.code,
  message: failure.message,
  why: failure.why ?? null,
  try: failure.hint ?? null,
  facts: failure.facts,
})

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code)

const textOf = (value: unknown): string | null =>
  typeof value === 'string' ? value.slice(0, TEXT_CHARACTERS_MAX) : null

const factsOf = (value: unknown): ErrorFacts => {
  if (typeof value !== 'object' || value === null) return {}
  const plain = Object.entries(value).filter(
    ([, fact]) => fact === null || ['string', 'number', 'boolean'].includes(typeof fact),
  )
  return Object.fromEntries(plain) as ErrorFacts
}

/** What a peer says went wrong; nothing in it is trusted to have the right shape. */
const failureFrom = (frame: unknown): Failure => {
  const said = (typeof frame === 'object' && frame !== null ? frame : {}) as Record<string, unknown>
  const [why, hint] = [textOf(said.why), textOf(said.try)]
  return new Failure(
    isCode(said.code) ? said.code : 'E_INTERNAL',
    {
      message: textOf(said.message) ?? 'the peer failed without saying why',
      ...(why === null ? {} : { why }),
      ...(hint === null ? {} : { try: hint }),
    },
    { facts: factsOf(said.facts) },
  )
}

const checked = (payload: Uint8Array): Uint8Array => {
  if (payload.byteLength <= FRAME_BYTES_MAX) return payload
  throw new Failure(
    'E_TOO_LARGE',
    {
      message: `a value of ${payload.byteLength} bytes does not fit a frame`,
      why: `a frame holds ${FRAME_BYTES_MAX} bytes`,
    },
    { facts: { bytes: payload.byteLength, bytesMax: FRAME_BYTES_MAX } },
  )
}

/** Waits for things that happen to a pipe; `wake` lets every waiter look again. */
const bell = () => {
  let waiting = Promise.withResolvers<void>()
  return {
    wait: () => waiting.promise,
    wake() {
      const old = waiting
      waiting = Promise.withResolvers<void>()
      old.resolve()
    },
  }
}

/** Answers one call. A second frame from the caller, or one that is no message, breaks it and is reported. */
export const serveCall = (
  pipe: Pipe,
  caller: Pick<Call, 'from' | 'host'>,
  responder: Responder,
  on: { onMalformed(reason: string): void },
): void => {
  const controller = new AbortController()
  const change = bell()
  let isClosed = false
  let isFull = false
  let isStarted = false

  const close = () => {
    if (isClosed) return
    isClosed = true
    controller.abort()
    change.wake()
  }

  /** The responder's next value, or null once the caller went away: whichever comes first. */
  const nextOf = async (values: AsyncIterator<unknown>): Promise<IteratorResult<unknown> | null> => {
    let came: IteratorResult<unknown> | null = null
    let thrown: { readonly error: unknown } | null = null
    values.next().then(
      result => {
        came = result
        change.wake()
      },
      error => {
        thrown = { error }
        change.wake()
      },
    )
    while (came === null && thrown === null && !isClosed) await change.wait()
    if (thrown !== null) throw (thrown as { readonly error: unknown }).error
    return came
  }

  const answer = async (request: unknown): Promise<void> => {
    let values: AsyncIterator<unknown> | null = null
    try {
      values = responder({ ...caller, request, signal: controller.signal })[Symbol.asyncIterator]()
      while (!isClosed) {
        const next = await nextOf(values)
        if (next === null || isClosed) break
        if (next.done === true) {
          pipe.send(encode([END]))
          break
        }
        isFull = !pipe.send(checked(encode([VALUE, next.value])))
        while (isFull && !isClosed) await change.wait()
      }
    } catch (thrown) {
      if (!isClosed) pipe.send(encode([ERROR, errorFrameOf(failureOf(thrown))]))
    }
    // A responder that still waits for something ends by its signal; nobody waits for that.
    controller.abort()
    void Promise.resolve(values?.return?.()).catch(() => {})
    pipe.end()
  }

  pipe.attach({
    onFrame(payload) {
      if (isStarted) {
        on.onMalformed('a caller sends one frame')
        pipe.abort()
        return close()
      }
      let request: unknown
      try {
        request = decode(payload)
      } catch {
        on.onMalformed('the request is no message')
        pipe.abort()
        return close()
      }
      isStarted = true
      void answer(request)
    },
    onDrain() {
      isFull = false
      change.wake()
    },
    onClose: close,
  })
}

/** Null once the signal aborts. */
const abortOf = (signal: AbortSignal): Promise<null> =>
  new Promise(resolve => {
    if (signal.aborted) return resolve(null)
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })

export type PlacedCall = {
  /** Opens the pipe; may reject with a Failure. The signal aborts when the caller gave up. */
  open(signal: AbortSignal): Promise<Pipe>
  readonly request: unknown
  readonly options: CallOptions
  readonly clock: Clock
  /** Names the other side in errors: a peer or an address. */
  readonly whom: string
}

/** Opens, asks, and yields the values in order. Ending the iteration early aborts the responder. */
export async function* placeCall(call: PlacedCall): AsyncGenerator<unknown, void> {
  const { clock, options, whom } = call
  const giveUp = new AbortController()
  const change = bell()
  const unread: Uint8Array[] = []
  let unreadBytes = 0
  let isPaused = false
  let isClosed = false
  let isLate = false
  const cancelTimer = clock.after(options.timeoutMs, () => {
    isLate = true
    giveUp.abort()
    change.wake()
  })
  const onAbort = () => {
    giveUp.abort()
    change.wake()
  }
  options.signal?.addEventListener('abort', onAbort, { once: true })

  const late = () =>
    new Failure(
      'E_TIMEOUT',
      { message: `${whom} did not answer within ${options.timeoutMs} ms` },
      { facts: { timeoutMs: options.timeoutMs } },
    )
  const refuseIfGivenUp = () => {
    if (options.signal?.aborted) throw new Failure('E_UNREACHABLE', `the call to ${whom} was given up`)
    if (isLate) throw late()
  }

  let pipe: Pipe | null = null
  let isEnded = false
  try {
    if (options.signal?.aborted) giveUp.abort()
    refuseIfGivenUp()
    const request = checked(encode(call.request))
    pipe = await openUnlessGivenUp(call.open(giveUp.signal), giveUp.signal, refuseIfGivenUp)
    const opened = pipe
    opened.attach({
      onFrame(payload) {
        unread.push(payload)
        unreadBytes += payload.byteLength
        if (unreadBytes > UNREAD_BYTES_MAX && !isPaused) {
          isPaused = true
          opened.pause()
        }
        change.wake()
      },
      onDrain() {},
      onClose() {
        isClosed = true
        change.wake()
      },
    })
    opened.send(request)
    while (true) {
      refuseIfGivenUp()
      const payload = unread.shift()
      if (payload === undefined) {
        if (isClosed) throw new Failure('E_UNREACHABLE', `the connection to ${whom} broke during the call`)
        await change.wait()
        continue
      }
      unreadBytes -= payload.byteLength
      if (isPaused && unreadBytes <= UNREAD_BYTES_MAX / 2) {
        isPaused = false
        opened.resume()
      }
      cancelTimer()
      const frame = decode(payload)
      const [kind, value] = Array.isArray(frame) ? (frame as unknown[]) : []
      if (kind === VALUE) yield value
      else {
        isEnded = true
        if (kind === END) return
        throw failureFrom(value)
      }
    }
  } finally {
    cancelTimer()
    options.signal?.removeEventListener('abort', onAbort)
    giveUp.abort()
    if (isEnded) pipe?.end()
    else pipe?.abort()
  }
}

/** A pipe that opens after the caller gave up is closed again. */
const openUnlessGivenUp = async (
  opening: Promise<Pipe>,
  signal: AbortSignal,
  refuseIfGivenUp: () => void,
): Promise<Pipe> => {
  const pipe = await Promise.race([opening, abortOf(signal)]).catch(thrown => {
    refuseIfGivenUp()
    throw failureOf(thrown, 'E_UNREACHABLE')
  })
  if (pipe !== null) return pipe
  void opening.then(
    tooLate => tooLate.abort(),
    () => {},
  )
  refuseIfGivenUp()
  throw new Failure('E_UNREACHABLE', 'the call was given up')
}
