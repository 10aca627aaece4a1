/** Damage on disk, told in one way: what is damaged, what follows from it, and how the machine comes back. */
import { type ErrorText, Failure } from './errors.ts'

/** The way back for a node whose log or identity cannot be trusted any more: its peers have all that it had. */
export const WAY_BACK =
  'move the data directory away and join this machine anew: tutti start --join HOST:PORT --token TOKEN'

export const PROMISES_FORGOTTEN = 'a node that forgot what it promised to the others must not vote again'

export const damageText = (what: string, why: string = PROMISES_FORGOTTEN): ErrorText => ({
  message: what,
  why,
  try: WAY_BACK,
})

/** E_DISK_DAMAGED. */
export const damageFailure = (what: string, why?: string, cause?: unknown): Failure =>
  new Failure('E_DISK_DAMAGED', damageText(what, why), cause === undefined ? {} : { cause })
