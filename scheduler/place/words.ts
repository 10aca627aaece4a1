/** Quantities and phrases for the sentences that placement writes. */

/** `0.5` of 500 thousandths. */
export const cores = (millis: number): string => String(Math.round(millis) / 1000)

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `512 MiB`; at most one decimal. */
export const amount = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${Math.round(value * 10) / 10} ${UNITS[unit]}`
}

/** A predicate in both numbers: `['lacks label zone=eu', 'lack label zone=eu']`. */
export type Phrase = readonly [one: string, many: string]

export const count = (number: number, [one, many]: Phrase): string =>
  number === 1 ? `1 node ${one}` : `${number} nodes ${many}`

/** Sentences are part of the log and of every snapshot. */
const SENTENCE_LENGTH_MAX = 600

export const shortened = (text: string, lengthMax = SENTENCE_LENGTH_MAX): string =>
  text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`
