/** Makes an image be there. An image that is there is never asked for again: no registry is needed to start it. */
import type { Readable } from 'node:stream'
import { Failure, messageOf } from '../errors.ts'
import { type Engine, EngineRefusal, isStatus } from './docker-client.ts'

const INSPECT_DEADLINE_MS = 10_000
/** A pull that says nothing for this long is given up; while it makes progress it may take as long as it needs. */
const SILENCE_MS_MAX = 60_000
const PROGRESS_INTERVAL_MS = 500

type PullLine = { readonly status?: string; readonly id?: string; readonly error?: string }

/** Throws E_IMAGE_MISSING with the engine's reason, E_RUNTIME_UNAVAILABLE, or the signal's own reason. */
export const ensureImage = async (
  engine: Engine,
  image: string,
  options: { readonly signal: AbortSignal; progress(text: string): void },
): Promise<void> => {
  if (await hasImage(engine, image)) return
  options.progress(`pulling ${image}`)
  try {
    await pull(engine, image, options)
  } catch (thrown) {
    options.signal.throwIfAborted()
    if (thrown instanceof Failure) throw thrown
    const why = thrown instanceof EngineRefusal ? thrown.message : messageOf(thrown)
    throw new Failure(
      'E_IMAGE_MISSING',
      {
        message: `The image ${image} is not on this node and cannot be pulled.`,
        why,
        try: `check the name, or load it on the node: docker load < image.tar`,
      },
      { facts: { image }, cause: thrown },
    )
  }
}

const hasImage = async (engine: Engine, image: string): Promise<boolean> => {
  try {
    await engine.call('look for an image', INSPECT_DEADLINE_MS, abortSignal =>
      engine.docker.getImage(image).inspect({ abortSignal } as object),
    )
    return true
  } catch (thrown) {
    if (isStatus(thrown, 404)) return false
    throw thrown
  }
}

const pull = async (
  engine: Engine,
  image: string,
  { signal, progress }: { readonly signal: AbortSignal; progress(text: string): void },
): Promise<void> => {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX)
  const abortSignal = AbortSignal.any([signal, silence.signal])
  try {
    const stream = await engine.call('pull an image', SILENCE_MS_MAX, deadline =>
      openPull(engine, image, AbortSignal.any([deadline, abortSignal])),
    )
    abortSignal.addEventListener('abort', () => stream.destroy(), { once: true })
    let toldAtMs = 0
    for await (const line of jsonLines(stream)) {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX)
      if (line.error !== undefined) throw new EngineRefusal(500, line.error)
      const nowMs = performance.now()
      if (line.status === undefined || nowMs - toldAtMs < PROGRESS_INTERVAL_MS) continue
      toldAtMs = nowMs
      progress(`pulling ${image}: ${line.id === undefined ? '' : `${line.id} `}${line.status.toLowerCase()}`)
    }
    if (silence.signal.aborted)
      throw new EngineRefusal(504, `the pull made no progress for ${SILENCE_MS_MAX / 1_000} s`)
    // A stream that ends early looks like success; only the image itself proves it.
    if (!(await hasImage(engine, image))) throw new EngineRefusal(500, 'the pull ended without the image')
  } finally {
    clearTimeout(timer)
  }
}

/** The library's types know no options here, but it takes them. */
const openPull = async (engine: Engine, image: string, abortSignal: AbortSignal): Promise<Readable> => {
  const pull = engine.docker.pull as (image: string, options: object) => Promise<NodeJS.ReadableStream>
  return (await pull.call(engine.docker, image, { abortSignal })) as Readable
}

async function* jsonLines(stream: Readable): AsyncIterable<PullLine> {
  let open = ''
  for await (const chunk of stream) {
    const parts = (open + String(chunk)).split('\n')
    open = parts.pop() ?? ''
    for (const part of parts) if (part.trim() !== '') yield JSON.parse(part) as PullLine
  }
  if (open.trim() !== '') yield JSON.parse(open) as PullLine
}
