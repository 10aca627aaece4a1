/** A command line that cannot be meant: exit code 2. */
import { Failure } from '../node/errors.ts'

export const usage = (
  message: string,
  options: { readonly why?: string; readonly try?: string } = {},
): Failure => new Failure('E_USAGE', { message, ...options })
