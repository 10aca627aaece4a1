/** The doors through which bytes and texts come in that nobody vouches for. Each is fed one at a time and may only refuse. */
import * as assert from 'uvu/assert'
import { createAuthenticator } from '../../../node/api/auth.ts'
import { callOf } from '../../../node/api/peer-message.ts'
import { decode, encode, FRAME_BYTES_MAX } from '../../../node/codec.ts'
import { Failure } from '../../../node/errors.ts'
import { foundCluster } from '../../../node/founding.ts'
import { silentLog } from '../../../node/log.ts'
import { serveJoins } from '../../../node/membership/join-service.ts'
import { createToken, parseToken } from '../../../node/membership/token.ts'
import { FrameReader, frameOf } from '../../../node/transport/frames.ts'
import type { Responder } from '../../../node/transport/transport.ts'
import type { NodeFacts, NodeId } from '../../../scheduler/index.ts'
import { fakeLog } from '../../harness/fake-consensus.ts'
import type { Prng } from '../../harness/prng.ts'
import { virtualClock } from '../../harness/virtual-clock.ts'
import { brokenBytes, brokenValue } from './mutate.ts'

export type Door = {
  readonly name: string
  /** Sends one broken thing in. Throws, or rejects, when it is not refused as it should be. */
  knock(dice: Prng): void | Promise<void>
}

/** Whatever is wrong with what came in is said as a Failure; anything else is a bug. */
const refused = (thrown: unknown): void => {
  if (!(thrown instanceof Failure)) throw thrown
  assert.is.not(thrown.code, 'E_INTERNAL', thrown.message)
}

const attempt = (action: () => unknown): void => {
  try {
    action()
  } catch (thrown) {
    refused(thrown)
  }
}

/** Broken frames in pieces of any size. */
export const frameDoor = (messages: readonly unknown[]): Door => {
  // And lists in lists, deeper than any stack.
  const frames = [...messages.map(encode), Buffer.alloc(100_000, 0x91)].map(frameOf)
  return {
    name: 'frames',
    knock(dice) {
      const frame = frames[Math.floor(dice.random() * frames.length)] as Uint8Array
      const bytes = Buffer.concat([brokenBytes(frame, frames, dice), frame])
      const reader = new FrameReader(
        payload => attempt(() => decode(new Uint8Array(payload))),
        FRAME_BYTES_MAX,
      )
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + Math.floor(dice.random() * bytes.length)
        if (!reader.feed(bytes.subarray(at, end))) return
        at = end
      }
    },
  }
}

/** Broken tokens, by themselves and as credentials of the API. */
export const tokenDoor = (): Door => {
  const { publicKey } = foundCluster(0)
  const { state } = fakeLog()
  let nowMs = 0
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => undefined }
  const authenticate = createAuthenticator({ state: () => state, clock, note: () => undefined })
  const texts = Array.from({ length: 50 }, () => createToken(publicKey).text)
  const bytes = texts.map(text => Buffer.from(text))
  return {
    name: 'tokens',
    knock(dice) {
      const whole = bytes[Math.floor(dice.random() * bytes.length)] as Buffer
      const text = Buffer.from(brokenBytes(whole, bytes, dice)).toString(
        dice.random() < 0.5 ? 'utf8' : 'latin1',
      )
      attempt(() => parseToken(text))
      let isLetIn = true
      try {
        // Long after the last one, so that none is refused for the number of those before it.
        nowMs += 60_000
        authenticate({ authorization: `Bearer ${text}`, address: '192.0.2.1' })
      } catch (thrown) {
        isLetIn = false
        refused(thrown)
      }
      assert.not(isLetIn, 'a broken token opens nothing')
    },
  }
}

/** Broken requests of strangers, to a member whose log must stay as it is. */
export const joinDoor = (): Door => {
  const cluster = foundCluster(0)
  const ledger = fakeLog()
  const clock = virtualClock()
  const facts = {
    id: 'stranger' as NodeId,
    name: 'stranger',
    address: '10.0.0.9',
    peerAddress: '10.0.0.9:7701',
    apiAddress: null,
    labels: { zone: 'eu' },
    capacity: { cpuMillis: 1_000, memoryBytes: 1 },
    runtime: 'process',
    portRange: [20_000, 29_999],
    version: '0.1.0',
  } as const satisfies NodeFacts
  ledger.commit({
    type: 'cluster/Init',
    atMs: 0,
    cluster,
    node: { ...facts, id: 'member' as NodeId, name: 'member' },
  })
  let responder: Responder | null = null
  serveJoins({
    transport: {
      self: 'member',
      onCall: (_, given) => {
        responder = given
      },
    },
    consensus: ledger.consensus('member'),
    clock,
    log: silentLog,
  })
  const { id: tokenId } = createToken(cluster.publicKey)
  const admit = { type: 'admit', tokenId, facts, requestId: 'r' }
  const recorded = [
    { type: 'hello', nonce: 'bm9uY2U=' },
    { type: 'standing', nonce: 'bm9uY2U=' },
    { ...admit, proof: Buffer.alloc(32, 7).toString('base64') },
    { ...admit, secret: 'a'.repeat(32) },
  ]
  const before = ledger.state.index
  return {
    name: 'requests to join',
    async knock(dice) {
      const one = recorded[Math.floor(dice.random() * recorded.length)]
      const request = brokenValue(one, recorded, dice)
      // Each from somewhere else, or the door would soon not listen any more.
      const host = String(Math.floor(dice.random() * 2 ** 32))
      const signal = AbortSignal.abort()
      try {
        const answers = responder?.({ from: 'stranger', host, request, signal })
        for await (const answer of answers ?? []) encode(answer)
      } catch (thrown) {
        refused(thrown)
      }
      assert.is(ledger.state.index, before, 'nothing is written for who proves nothing')
    },
  }
}

/** Broken calls between nodes. */
export const callDoor = (): Door => {
  const recorded = [
    { type: 'clock' },
    { type: 'digest' },
    { type: 'logs', pod: 'p', container: null, follow: true, tail: 10 },
    {
      type: 'request',
      method: 'POST',
      path: '/tutti/v1/workloads',
      query: { timeout: '5s' },
      body: { name: 'web' },
      hasBody: true,
      requestId: 'r',
      caller: { role: 'viewer', name: 'token t' },
    },
  ]
  return {
    name: 'calls',
    knock(dice) {
      const one = recorded[Math.floor(dice.random() * recorded.length)]
      attempt(() => callOf(brokenValue(one, recorded, dice)))
    },
  }
}
