/**
 * Regular expressions that match in time linear in the value: a Thompson automaton without captures, look-around or
 * back-references, so that no pattern in the log can stall a node. Source: K. Thompson, 1968; R. Cox, "Regular
 * Expression Matching Can Be Simple And Fast". Patterns are not anchored: use `^` and `$`.
 */

export const PATTERN_LENGTH_MAX = 100
/** Bounded repeats are unrolled; this limits what `(x{50}){50}` may grow to. */
const PROGRAM_LENGTH_MAX = 2_000
const REPEAT_MAX = 63

type Test = (code: number) => boolean
type Step =
  | { readonly op: 'unit'; readonly test: Test }
  | { readonly op: 'split'; readonly to: readonly [number, number] }
  | { readonly op: 'start' | 'end' }
type Tree =
  | { readonly type: 'unit'; readonly test: Test }
  | { readonly type: 'start' | 'end' }
  | { readonly type: 'all' | 'any'; readonly of: readonly Tree[] }
  | { readonly type: 'repeat'; readonly of: Tree; readonly min: number; readonly max: number }

/** A compiled pattern, or a sentence that says what is wrong with it. */
export type Compiled =
  | { readonly ok: true; readonly matches: (value: string) => boolean }
  | { readonly ok: false; readonly problem: string }

class Malformed extends Error {}

export const compilePattern = (pattern: string): Compiled => {
  if (pattern.length > PATTERN_LENGTH_MAX)
    return { ok: false, problem: `a pattern has at most ${PATTERN_LENGTH_MAX} characters` }
  try {
    const program: Step[] = []
    emit(program, new Parser(pattern).parse())
    return { ok: true, matches: value => run(program, value) }
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, problem: error.message }
    throw error
  }
}

const codeOf = (character: string): number => character.charCodeAt(0)
const isBetween = (code: number, first: string, last: string): boolean =>
  code >= codeOf(first) && code <= codeOf(last)
const isDigit: Test = code => isBetween(code, '0', '9')
const isWord: Test = code =>
  isDigit(code) || isBetween(code, 'a', 'z') || isBetween(code, 'A', 'Z') || code === codeOf('_')
const isSpace: Test = code => code === 32 || (code >= 9 && code <= 13)
const not =
  (test: Test): Test =>
  code =>
    !test(code)
const CLASSES: Readonly<Record<string, Test>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
}

class Parser {
  #at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  parse(): Tree {
    const tree = this.#alternatives()
    if (this.#at < this.#text.length) throw this.#malformed('")" without "("')
    return tree
  }

  #malformed(problem: string): Malformed {
    return new Malformed(`${problem} at character ${this.#at + 1}`)
  }

  #peek(): string {
    return this.#text[this.#at] ?? ''
  }

  #take(): string {
    return this.#text[this.#at++] ?? ''
  }

  #alternatives(): Tree {
    const of = [this.#sequence()]
    while (this.#peek() === '|') {
      this.#at++
      of.push(this.#sequence())
    }
    return of.length === 1 ? of[0]! : { type: 'any', of }
  }

  #sequence(): Tree {
    const of: Tree[] = []
    while (this.#peek() !== '' && this.#peek() !== '|' && this.#peek() !== ')') of.push(this.#repeated())
    return { type: 'all', of }
  }

  #repeated(): Tree {
    const of = this.#atom()
    const range = this.#quantifier()
    if (!range) return of
    if (of.type === 'start' || of.type === 'end') throw this.#malformed('nothing to repeat')
    if (this.#quantifier()) throw this.#malformed('a quantifier follows a quantifier')
    return { type: 'repeat', of, ...range }
  }

  #quantifier(): { min: number; max: number } | null {
    const sign = this.#peek()
    if (sign === '*' || sign === '+' || sign === '?') {
      this.#at++
      return { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Number.POSITIVE_INFINITY }
    }
    if (sign !== '{') return null
    const found = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.#text.slice(this.#at))
    if (!found) throw this.#malformed('"{" opens no {n}, {n,} or {n,m}; write \\{ for the character')
    this.#at += found[0].length
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] ? Number(found[3]) : Number.POSITIVE_INFINITY
    if (max < min || min > REPEAT_MAX || (max !== Number.POSITIVE_INFINITY && max > REPEAT_MAX))
      throw this.#malformed(`a repeat counts from small to large and to at most ${REPEAT_MAX}`)
    return { min, max }
  }

  #atom(): Tree {
    const sign = this.#take()
    switch (sign) {
      case '(':
        return this.#group()
      case '[':
        return { type: 'unit', test: this.#set() }
      case '.':
        return { type: 'unit', test: () => true }
      case '^':
        return { type: 'start' }
      case '$':
        return { type: 'end' }
      case '\\':
        return { type: 'unit', test: this.#escape() }
      case '*':
      case '+':
      case '?':
      case '{':
        this.#at--
        throw this.#malformed('nothing to repeat')
      default:
        return { type: 'unit', test: code => code === codeOf(sign) }
    }
  }

  #group(): Tree {
    if (this.#peek() === '?') {
      this.#at++
      if (this.#take() !== ':') throw this.#malformed('only (…) and (?:…) groups are known')
    }
    const tree = this.#alternatives()
    if (this.#take() !== ')') throw this.#malformed('"(" without ")"')
    return tree
  }

  #escape(): Test {
    const sign = this.#take()
    const known = CLASSES[sign]
    if (known) return known
    if (sign === '' || isWord(codeOf(sign))) throw this.#malformed(`unknown escape \\${sign}`)
    return code => code === codeOf(sign)
  }

  #set(): Test {
    const isNegated = this.#peek() === '^'
    if (isNegated) this.#at++
    const tests: Test[] = []
    while (this.#peek() !== ']') {
      if (this.#peek() === '') throw this.#malformed('"[" without "]"')
      tests.push(this.#setPart())
    }
    this.#at++
    if (tests.length === 0) throw this.#malformed('an empty set [] matches nothing')
    const isIn: Test = code => tests.some(test => test(code))
    return isNegated ? not(isIn) : isIn
  }

  #setPart(): Test {
    const first = this.#take()
    if (first === '\\') return this.#escape()
    const isRange =
      this.#peek() === '-' && this.#text[this.#at + 1] !== ']' && this.#text[this.#at + 1] !== undefined
    if (!isRange) return code => code === codeOf(first)
    this.#at++
    const last = this.#take()
    if (last === '\\' || last < first) throw this.#malformed('a range in […] runs from low to high')
    return code => isBetween(code, first, last)
  }
}

const emit = (program: Step[], tree: Tree): void => {
  if (program.length > PROGRAM_LENGTH_MAX) throw new Malformed('the pattern repeats too much')
  switch (tree.type) {
    case 'unit':
      program.push({ op: 'unit', test: tree.test })
      return
    case 'start':
    case 'end':
      program.push({ op: tree.type })
      return
    case 'all':
      for (const part of tree.of) emit(program, part)
      return
    case 'any':
      return emitAny(program, tree.of)
    case 'repeat':
      return emitRepeat(program, tree)
  }
}

/** Reserves a place that a later `split` fills in. */
const reserve = (program: Step[]): number => program.push({ op: 'start' }) - 1

const emitAny = (program: Step[], of: readonly Tree[]): void => {
  const exits: number[] = []
  for (const [number, part] of of.entries()) {
    if (number === of.length - 1) {
      emit(program, part)
      break
    }
    const fork = reserve(program)
    emit(program, part)
    exits.push(reserve(program))
    program[fork] = { op: 'split', to: [fork + 1, program.length] }
  }
  for (const exit of exits) program[exit] = { op: 'split', to: [program.length, program.length] }
}

const emitRepeat = (program: Step[], tree: Extract<Tree, { type: 'repeat' }>): void => {
  for (let i = 0; i < tree.min; i++) emit(program, tree.of)
  if (tree.max === Number.POSITIVE_INFINITY) {
    const fork = reserve(program)
    emit(program, tree.of)
    program.push({ op: 'split', to: [fork, fork] })
    program[fork] = { op: 'split', to: [fork + 1, program.length] }
    return
  }
  const forks: number[] = []
  for (let i = tree.min; i < tree.max; i++) {
    forks.push(reserve(program))
    emit(program, tree.of)
  }
  for (const fork of forks) program[fork] = { op: 'split', to: [fork + 1, program.length] }
}

/** Adds a step and all that it reaches without reading a unit; returns whether the end of the program is among them. */
const follow = (
  program: readonly Step[],
  from: number,
  reached: Set<number>,
  place: { at: number; end: number },
): boolean => {
  const todo = [from]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    const step = program[next]
    if (!step) return true
    if (step.op === 'split') todo.push(...step.to)
    else if (step.op === 'start' && place.at === 0) todo.push(next + 1)
    else if (step.op === 'end' && place.at === place.end) todo.push(next + 1)
  }
  return false
}

const run = (program: readonly Step[], value: string): boolean => {
  let now = new Set<number>()
  for (let at = 0; at <= value.length; at++) {
    const place = { at, end: value.length }
    if (follow(program, 0, now, place)) return true
    const next = new Set<number>()
    for (const number of now) {
      const step = program[number]!
      if (at < value.length && step.op === 'unit' && step.test(value.charCodeAt(at)))
        if (follow(program, number + 1, next, { at: at + 1, end: value.length })) return true
    }
    now = next
  }
  return false
}
