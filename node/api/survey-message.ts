/** How questions about the network between nodes go over the wire, checked at the receiving end. */

/** One node seen from another. */
export type Sight = {
  /** Its name. */
  readonly node: string
  /** What a small question and its answer took; null: there was no answer, `why` says more. */
  readonly tookMs: number | null
  /** A large message came back whole; null: not tried, because the small one did not. */
  readonly passesLarge: boolean | null
  readonly why: string | null
}

export type Survey = {
  /** The largest packet that leaves by the interface with the node's own address; null: not known. */
  readonly mtu: number | null
  readonly sights: readonly Sight[]
}

export type SurveyCall =
  /** Say it again. Answered by `echo`. */
  | { readonly type: 'echo'; readonly text: string }
  /** Whom do you see, and how well? Answered by `survey`. */
  | { readonly type: 'survey' }

export type SurveyAnswer =
  | { readonly type: 'echo'; readonly text: string }
  | ({ readonly type: 'survey' } & Survey)

type Fields = Readonly<Record<string, unknown>>

const ECHO_LENGTH_MAX = 256 * 1024
const SIGHTS_MAX = 1_000

/** Null for what is no such call, or malformed. */
export const surveyCallOf = (value: Fields): SurveyCall | null => {
  if (value.type === 'survey') return { type: 'survey' }
  return echoOf(value)
}

/** Null for what is no such answer, or malformed. */
export const surveyAnswerOf = (value: Fields): SurveyAnswer | null => {
  if (value.type === 'echo') return echoOf(value)
  const { mtu, sights } = value
  if (value.type !== 'survey' || !(mtu === null || isNumber(mtu))) return null
  if (!Array.isArray(sights) || sights.length > SIGHTS_MAX) return null
  const known = sights.map(sightOf)
  return known.every(sight => sight !== null) ? { type: 'survey', mtu, sights: known } : null
}

const echoOf = ({ type, text }: Fields): { readonly type: 'echo'; readonly text: string } | null =>
  type === 'echo' && typeof text === 'string' && text.length <= ECHO_LENGTH_MAX ? { type, text } : null

const sightOf = (value: unknown): Sight | null => {
  if (typeof value !== 'object' || value === null) return null
  const { node, tookMs, passesLarge, why } = value as Fields
  const isGood =
    typeof node === 'string' &&
    (tookMs === null || isNumber(tookMs)) &&
    (passesLarge === null || typeof passesLarge === 'boolean') &&
    (why === null || typeof why === 'string')
  return isGood ? { node, tookMs, passesLarge, why } : null
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
