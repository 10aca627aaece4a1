/** What nodes compare: the entry that a state holds last, and the digest of the whole of it. */
import { digestOf, type State } from '../../scheduler/index.ts'

export type StateDigest = { readonly index: number; readonly digest: string }

/** Walks the whole state. */
export const stateDigest = (state: State): StateDigest => ({ index: state.index, digest: digestOf(state) })
