/** An error as a person reads it: what, why, what to try, and its code. */
import { ERRORS, type Failure } from '../../node/errors.ts'
import { meaningOf } from './codes.ts'
import { escapeText } from './escape.ts'
import type { Style } from './style.ts'

const indented = (text: string): string => escapeText(text).replaceAll('\n', '\n        ')

/** Four parts, a line each, ending with a newline. What the failure does not say is taken from its code. */
export const errorText = (failure: Failure, style: Style): string => {
  const { code } = failure
  const advice = failure.hint ?? meaningOf(code).try
  const lines = [
    `${style.paint('bad', 'error:')} ${indented(failure.message)}`,
    ...(failure.why === undefined ? [] : [`   ${style.paint('dim', 'why:')} ${indented(failure.why)}`]),
    ...(advice === null ? [] : [`   ${style.paint('dim', 'try:')} ${indented(advice)}`]),
    `  ${style.paint('dim', 'code:')} ${code}   (tutti explain ${code})`,
  ]
  return `${lines.join('\n')}\n`
}

export const exitCodeOf = (failure: Failure): number => ERRORS[failure.code].exit
