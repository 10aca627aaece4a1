/** Asks one member, as the node itself, to be let in anew; answers its standing and the whole state, checked. */
import { digestOf } from '../../scheduler/index.ts'
import type { BackupHead, BackupLine, ErrorBody, Readmission } from '../api/native/schema.ts'
import type { PeerApi } from '../api/proxy.ts'
import { decodeState } from '../consensus/store.ts'
import { Failure } from '../errors.ts'

export type Fetched = {
  readonly standing: Readmission
  readonly header: BackupHead
  readonly state: Uint8Array
}

export type Fetching = {
  readonly api: Pick<PeerApi, 'forward'>
  readonly peer: string
  readonly self: string
  readonly requestId: string
}

const ANSWER_WITHIN_MS = 60_000

/** Throws what the member refuses with; E_NO_LEADER when it does not lead. */
export const fetchState = async ({ api, peer, self, requestId }: Fetching): Promise<Fetched> => {
  const reply = await api.forward(
    { id: peer, name: peer },
    {
      method: 'POST',
      path: '/tutti/v1/readmission',
      query: {},
      caller: { role: 'admin', name: 'repair', via: null, from: null, namespace: null, grants: [] },
      requestId,
      isForwarded: false,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      body: async () => ({ node: self }),
    },
  )
  let text = ''
  if (typeof reply.body === 'string') text = reply.body
  else for await (const piece of reply.body) text += piece
  if (reply.status >= 400) throw failureOf(text)
  return assembled(
    text
      .split('\n')
      .filter(line => line !== '')
      .map((line): BackupLine | Readmission => JSON.parse(line)),
  )
}

const failureOf = (text: string): Failure => {
  const { error } = JSON.parse(text) as ErrorBody
  const { code, message, why, try: hint } = error
  return new Failure(code, {
    message,
    ...(why === undefined ? {} : { why }),
    ...(hint === undefined ? {} : { try: hint }),
  })
}

const assembled = (lines: readonly (BackupLine | Readmission)[]): Fetched => {
  const standing = lines.find(line => line.type === 'readmission')
  const header = lines.find(line => line.type === 'head')
  const state = Buffer.concat(
    lines.flatMap(line => (line.type === 'piece' ? [Buffer.from(line.base64, 'base64')] : [])),
  )
  if (
    standing === undefined ||
    header === undefined ||
    state.byteLength !== header.bytes ||
    digestOf(decodeState(state)) !== header.digest
  )
    throw new Failure('E_UNREACHABLE', 'the answer was not complete')
  return { standing, header, state }
}
