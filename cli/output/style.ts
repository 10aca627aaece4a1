/** Colour and glyphs: decided once per run; a state is always a glyph and a word, never a colour alone. */
import { styleText } from 'node:util'

export type Tone = 'good' | 'busy' | 'idle' | 'bad' | 'dim' | 'bold' | 'accent'

export type Tint = 'cyan' | 'yellow' | 'magenta' | 'green' | 'blue' | 'red'

export type Style = {
  readonly hasColour: boolean
  readonly isAscii: boolean
  /** The text in the tone's colour, or unchanged without colour. */
  paint(tone: Tone, text: string): string
  /** The text in one of the colours that only tell things apart. */
  tint(colour: Tint, text: string): string
  /** `● running`: the glyph of the state's kind and the word. */
  state(word: string): string
  /** `✔`, or `ok` in ASCII. */
  readonly done: string
  readonly gutter: string
}

const COLOURS = {
  good: 'green',
  busy: 'yellow',
  idle: 'gray',
  bad: 'red',
  dim: 'gray',
  bold: 'bold',
  accent: 'cyan',
} as const

const TONES: Readonly<Record<string, Tone>> = {
  alive: 'good',
  ready: 'good',
  running: 'good',
  healthy: 'good',
  ok: 'good',
  valid: 'good',
  succeeded: 'good',
  converged: 'good',
  leader: 'good',
  'most advanced': 'good',
  suspect: 'busy',
  assigned: 'busy',
  preparing: 'busy',
  starting: 'busy',
  stopping: 'busy',
  warning: 'busy',
  'on probation': 'busy',
  draining: 'busy',
  restarting: 'bad',
  converging: 'busy',
  joint: 'busy',
  candidate: 'busy',
  dead: 'bad',
  failed: 'bad',
  lost: 'bad',
  unhealthy: 'bad',
  failure: 'bad',
  revoked: 'bad',
}

const GLYPHS = { good: '●', busy: '◐', idle: '○', bad: '✗' } as const
const ASCII_GLYPHS = { good: '*', busy: '~', idle: 'o', bad: 'x' } as const

/** What kind of state a word names; unknown words are idle (pending, stopped, left, none, …). */
export const toneOf = (word: string): 'good' | 'busy' | 'idle' | 'bad' =>
  (TONES[word] ?? 'idle') as 'good' | 'busy' | 'idle' | 'bad'

export const makeStyle = (options: { readonly hasColour: boolean; readonly isAscii: boolean }): Style => {
  const paint = (tone: Tone, text: string): string =>
    options.hasColour ? styleText(COLOURS[tone], text, { validateStream: false }) : text
  const glyphs = options.isAscii ? ASCII_GLYPHS : GLYPHS
  return {
    ...options,
    paint,
    tint: (colour, text) => (options.hasColour ? styleText(colour, text, { validateStream: false }) : text),
    state: word => paint(toneOf(word), `${glyphs[toneOf(word)]} ${word}`),
    done: paint('good', options.isAscii ? 'ok' : '✔'),
    gutter: options.isAscii ? '|' : '│',
  }
}

/** Whether to colour a stream: the flag, then FORCE_COLOR, then NO_COLOR, TERM=dumb and CI, then whether it is a terminal. */
export const wantsColour = (asked: {
  readonly flag: boolean
  readonly isTTY: boolean
  readonly forceColor: string | undefined
  readonly noColor: string | undefined
  readonly term: string | undefined
  readonly ci: string | undefined
}): boolean => {
  if (!asked.flag) return false
  if (asked.forceColor !== undefined && asked.forceColor !== '') {
    return asked.forceColor !== '0' && asked.forceColor !== 'false'
  }
  if (asked.noColor !== undefined && asked.noColor !== '') return false
  return asked.isTTY && asked.term !== 'dumb' && !asked.ci
}
