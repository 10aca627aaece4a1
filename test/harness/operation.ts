/** What clients of a key-value store do and see, as the judges of histories know it. */

/** Null: nothing was ever written. Nobody writes it. */
export type Value = string | number | null

export type Act =
  | { readonly type: 'read'; readonly value: Value }
  | { readonly type: 'write'; readonly value: Value }
  /**
   * `isDone` false: the register held something else than `expected`, and nothing changed. Without an answer it is true, for
   * that is what may have happened.
   */
  | { readonly type: 'cas'; readonly expected: Value; readonly value: Value; readonly isDone: boolean }

export type Operation = {
  readonly client: number
  readonly key: string
  /** On one clock for the whole history. An operation that is called when another is answered overlaps with it. */
  readonly calledAt: number
  /** Null: no answer, so it may take effect at any later time, or never. */
  readonly answeredAt: number | null
  readonly act: Act
}

export const answerOf = ({ answeredAt }: Operation): number => answeredAt ?? Number.POSITIVE_INFINITY

/** The value that an operation needs to find, `undefined` when any will do. */
export const observedBy = ({ act }: Operation): Value | undefined => {
  if (act.type === 'read') return act.value
  return act.type === 'cas' && act.isDone ? act.expected : undefined
}

/** The value that an operation leaves, `undefined` when it changes nothing. */
export const writtenBy = ({ act }: Operation): Value | undefined => {
  if (act.type === 'write') return act.value
  return act.type === 'cas' && act.isDone ? act.value : undefined
}

/** What the register holds after the act; `undefined` when the act cannot have had this result. */
export const effectOf = <Held>(act: Act, held: Held | Value): Held | Value | undefined => {
  switch (act.type) {
    case 'read':
      return act.value === held ? held : undefined
    case 'write':
      return act.value
    case 'cas':
      if ((act.expected === held) !== act.isDone) return undefined
      return act.isDone ? act.value : held
  }
}

/** One line: who, when, what, and what came of it. Times count from `originAt`. */
export const tellOperation = (operation: Operation, originAt: number): string => {
  const { client, key, calledAt, answeredAt, act } = operation
  const to = answeredAt === null ? 'no answer' : (answeredAt - originAt).toFixed(3)
  return `client ${client}  ${(calledAt - originAt).toFixed(3)} to ${to}  ${key}: ${tellAct(act)}`
}

const tellAct = (act: Act): string => {
  switch (act.type) {
    case 'read':
      return `read ${act.value ?? 'nothing'}`
    case 'write':
      return `wrote ${act.value}`
    case 'cas':
      return `set ${act.value} if it was ${act.expected ?? 'nothing'}: ${act.isDone ? 'it was' : 'it was not'}`
  }
}
