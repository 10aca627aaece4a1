/** Words of a command line to a verb and its call: flags, help, and guesses for what was mistyped. */
import { CommanderError, Option, Command as Parser } from 'commander'
import { nearest } from '../node/api/nearest.ts'
import type { Failure } from '../node/errors.ts'
import { type Call, type Command, Flags, type OptionSpec, type Verb } from './command.ts'
import { NOUNS, VERBS, verbNamed } from './commands.ts'
import { GLOBAL_OPTIONS } from './global-options.ts'
import { usage } from './usage.ts'

const VALUE_FLAGS = new Set(['-o', '--output', '--connect', '--context', '--consistency', '--timeout'])

/** What a command line asks for: a verb with its words, or help. */
export type Request =
  | { readonly type: 'call'; readonly verb: Verb; readonly words: readonly string[] }
  | { readonly type: 'help'; readonly verb: Verb | null }

/** Finds the verb, wherever global flags stand. Throws E_USAGE with a guess for an unknown one. */
export const readRequest = (argv: readonly string[]): Request => {
  const at = verbPosition(argv, 0)
  const flagsBefore = argv.slice(0, at)
  const first = argv[at]
  if (first === undefined) {
    if (flagsBefore.includes('--version') || flagsBefore.includes('-V')) {
      return { type: 'call', verb: verbNamed('version') as Verb, words: [] }
    }
    return { type: 'help', verb: null }
  }
  if (first === 'help') {
    const wanted = argv
      .slice(at + 1)
      .filter(word => !word.startsWith('-'))
      .join(' ')
    return { type: 'help', verb: wanted === '' ? null : find(wanted) }
  }
  const verb = verbNamed(first)
  if (verb !== undefined) return { type: 'call', verb, words: [...flagsBefore, ...argv.slice(at + 1)] }
  if (!NOUNS.has(first)) return { type: 'help', verb: find(first) }
  const secondAt = verbPosition(argv, at + 1)
  const words = [...flagsBefore, ...argv.slice(at + 1, secondAt), ...argv.slice(secondAt + 1)]
  return { type: 'call', verb: find(`${first} ${argv[secondAt] ?? ''}`.trim()), words }
}

const verbPosition = (argv: readonly string[], from: number): number => {
  let at = from
  while (at < argv.length && argv[at]?.startsWith('-') && argv[at] !== '--') {
    at += VALUE_FLAGS.has(argv[at] ?? '') ? 2 : 1
  }
  return argv[at] === '--' ? argv.length : at
}

const find = (name: string): Verb => {
  const verb = verbNamed(name)
  if (verb !== undefined) return verb
  const noun = name.split(' ')[0] ?? ''
  if (NOUNS.has(noun)) {
    const known = VERBS.filter(each => each.name.startsWith(`${noun} `)).map(each =>
      each.name.slice(noun.length + 1),
    )
    throw usage(`tutti ${noun} needs one of: ${known.join(', ')}`, { try: `tutti ${noun} ${known[0]}` })
  }
  const guess = nearest(name, [...VERBS.map(each => each.name), ...NOUNS])
  throw usage(`there is no command "${name}"`, {
    ...(guess === null ? {} : { why: `did you mean "${guess}"?` }),
    try: guess === null ? 'tutti help' : `tutti ${guess} --help`,
  })
}

/** Reads the words of a verb. Throws E_USAGE, or HelpAsked when they ask for help. */
export const readCall = (verb: Verb, command: Command, words: readonly string[]): Call => {
  const cut = words.indexOf('--')
  const own = cut === -1 ? words : words.slice(0, cut)
  const rest = cut === -1 ? null : words.slice(cut + 1)
  if (own.includes('--help') || own.includes('-h')) throw new HelpAsked()
  const parser = parserOf(verb, command)
  try {
    parser.parse(rest !== null && command.takesCommand !== true ? [...own, '--', ...rest] : [...own], {
      from: 'user',
    })
  } catch (thrown) {
    if (thrown instanceof CommanderError) throw usageOf(thrown, verb, parser)
    throw thrown
  }
  return {
    args: parser.args,
    rest: command.takesCommand === true ? rest : null,
    flags: new Flags(parser.opts()),
  }
}

/** `--help` was among the words. */
export class HelpAsked extends Error {}

const parserOf = (verb: Verb, command: Command): Parser => {
  const parser = new Parser(`tutti ${verb.name}`)
    .description(verb.summary)
    .exitOverride()
    .helpOption('-h, --help', 'show this help')
    .showSuggestionAfterError(false)
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .configureHelp({ helpWidth: 100 })
  for (const argument of command.arguments) {
    const text = argument.count === 'many' || argument.count === 'any' ? `${argument.name}...` : argument.name
    const isRequired = argument.count === 'one' || argument.count === 'many'
    parser.argument(isRequired ? `<${text}>` : `[${text}]`, argument.description)
  }
  for (const option of command.options) parser.addOption(optionOf(option))
  parser.optionsGroup('Everywhere:')
  for (const option of GLOBAL_OPTIONS) parser.addOption(optionOf(option))
  return parser
}

const optionOf = (spec: OptionSpec): Option => {
  const option = new Option(spec.flags, spec.description)
  if (spec.choices !== undefined) option.choices(spec.choices)
  if (spec.isRepeatable === true) {
    option.argParser((value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value])
  }
  return option
}

const usageOf = (error: CommanderError, verb: Verb, parser: Parser): Failure => {
  const message = error.message.replace(/^error: /, '').replace(/\.$/, '')
  const flag = /unknown option '(-[^'=]*)/.exec(message)?.[1]
  const known = parser.options.flatMap(option => option.long ?? [])
  const guess = flag === undefined ? null : nearest(flag, known)
  return usage(`tutti ${verb.name}: ${message}`, {
    ...(guess === null ? {} : { why: `did you mean ${guess}?` }),
    try: `tutti ${verb.name} --help`,
  })
}

const GROUPS = { workloads: 'Workloads', cluster: 'Cluster', access: 'Access' } as const

/** Help for everything. */
export const overviewText = (): string => {
  const width = Math.max(...VERBS.map(verb => verb.name.length)) + 2
  const lines = [
    'Tutti runs containers on a cluster without a control plane.',
    '',
    'Usage: tutti VERB [TARGET…] [flags]',
  ]
  for (const [group, title] of Object.entries(GROUPS)) {
    lines.push('', `${title}:`)
    for (const verb of VERBS.filter(each => each.group === group)) {
      lines.push(`  ${verb.name.padEnd(width)}${verb.summary}`)
    }
  }
  lines.push('', 'Everywhere:')
  for (const option of GLOBAL_OPTIONS) lines.push(`  ${option.flags.padEnd(24)}${option.description}`)
  lines.push(
    '',
    'tutti VERB --help tells more about one. First steps: tutti start, then tutti run --help.',
    '',
  )
  return lines.join('\n')
}

/** Help for one verb. */
export const helpText = (verb: Verb, command: Command): string => {
  const text = parserOf(verb, command).usage(usageLine(command)).helpInformation()
  if (command.examples.length === 0) return text
  return `${text}\nExamples:\n${command.examples.map(example => `  ${example}\n`).join('')}`
}

const usageLine = (command: Command): string => {
  const words = command.arguments.map(argument => {
    const text = argument.count === 'many' || argument.count === 'any' ? `${argument.name}...` : argument.name
    return argument.count === 'one' || argument.count === 'many' ? `<${text}>` : `[${text}]`
  })
  return ['[flags]', ...words, ...(command.takesCommand === true ? ['[-- CMD...]'] : [])].join(' ')
}
