/** What could come next on a command line: verbs, flags and live names. Used by Tab in the shell and by every outer shell. */
import type { Client } from '../client.ts'
import type { ArgumentSpec, Command, LiveKind, OptionSpec, Verb } from '../command.ts'
import { GLOBAL_OPTIONS } from '../global-options.ts'
import { escapeLine } from '../output/escape.ts'

export type Candidate = {
  readonly value: string
  readonly description: string
  /** More of the same word follows: no space after it. */
  readonly isOpen?: boolean
}

/** Where candidates come from: the table of verbs and the live cluster. */
export type Sources = { readonly verbs: readonly Verb[]; readonly live: LiveNames }

export type LiveNames = (kind: LiveKind) => Promise<readonly Candidate[]>

// A name that an outer shell would have to quote is not offered: completion must never be a way to inject words.
const SAFE = /^[\w@./:=+-]+$/

/** Candidates for `current` after the finished `words` (the program's name not among them). Never throws. */
export const complete = async (
  words: readonly string[],
  current: string,
  sources: Sources,
): Promise<readonly Candidate[]> => {
  const found = await candidates(words, current, sources).catch(() => [])
  return found.filter(candidate => candidate.value.startsWith(current) && SAFE.test(candidate.value))
}

const candidates = async (
  words: readonly string[],
  current: string,
  { verbs, live }: Sources,
): Promise<readonly Candidate[]> => {
  if (words.includes('--')) return []
  const plain = words.filter(
    (word, at) => !word.startsWith('-') && !takesValue(words[at - 1], GLOBAL_OPTIONS),
  )
  const [first, second] = plain
  const isNoun = verbs.some(verb => verb.name.startsWith(`${first} `))
  if (first === undefined || first === 'help') {
    return current.startsWith('-') ? GLOBAL_OPTIONS.flatMap(flagsOf) : firstWords(verbs)
  }
  if (isNoun && second === undefined) return secondWords(first, verbs)
  const name = isNoun ? `${first} ${second}` : first
  const verb = verbs.find(each => each.name === name)
  if (verb === undefined) return []
  const { command } = await verb.load()
  return ofCommand(command, words, plain.length - (isNoun ? 2 : 1), current, live)
}

const firstWords = (verbs: readonly Verb[]): readonly Candidate[] => {
  const nouns = new Set(
    verbs.flatMap(verb => (verb.name.includes(' ') ? [verb.name.replace(/ .*$/, '')] : [])),
  )
  const groups = [...nouns].map(noun => ({
    value: noun,
    description: secondWords(noun, verbs)
      .map(each => each.value)
      .join(', '),
  }))
  const single = verbs
    .filter(verb => !verb.name.includes(' '))
    .map(verb => ({ value: verb.name, description: verb.summary }))
  return [...single, ...groups, { value: 'help', description: 'what there is' }]
}

const secondWords = (noun: string, verbs: readonly Verb[]): readonly Candidate[] =>
  verbs
    .filter(verb => verb.name.startsWith(`${noun} `))
    .map(verb => ({ value: verb.name.slice(noun.length + 1), description: verb.summary }))

const ofCommand = async (
  command: Command,
  words: readonly string[],
  wordsAfterVerb: number,
  current: string,
  live: LiveNames,
): Promise<readonly Candidate[]> => {
  const options = [...command.options, ...GLOBAL_OPTIONS]
  const assigned = /^(--[\w-]+)=/.exec(current)
  if (assigned !== null) {
    const values = await valuesOf(optionNamed(assigned[1] ?? '', options), live)
    return values.map(each => ({ ...each, value: `${assigned[1]}=${each.value}` }))
  }
  const previous = words.at(-1)
  if (takesValue(previous, options)) return valuesOf(optionNamed(previous ?? '', options), live)
  if (current.startsWith('-')) return options.flatMap(flagsOf)
  const valueCount = words.filter((_, at) => takesValue(words[at - 1], command.options)).length
  return valuesOf(argumentAt(command.arguments, wordsAfterVerb - valueCount), live)
}

const argumentAt = (specs: readonly ArgumentSpec[], position: number): ArgumentSpec | undefined => {
  const last = specs.at(-1)
  return specs[position] ?? (last?.count === 'many' || last?.count === 'any' ? last : undefined)
}

const valuesOf = async (
  spec: { readonly choices?: readonly string[]; readonly completes?: LiveKind } | undefined,
  live: LiveNames,
): Promise<readonly Candidate[]> => {
  if (spec?.choices !== undefined) return spec.choices.map(value => ({ value, description: '' }))
  return spec?.completes === undefined ? [] : live(spec.completes)
}

const namesOf = (option: OptionSpec): readonly string[] =>
  option.flags.split(/[ ,]+/).filter(word => word.startsWith('-'))

const flagsOf = (option: OptionSpec): Candidate[] =>
  namesOf(option)
    .filter(name => name.startsWith('--'))
    .map(value => ({ value, description: option.description }))

const optionNamed = (name: string, options: readonly OptionSpec[]): OptionSpec | undefined =>
  options.find(option => namesOf(option).includes(name))

const takesValue = (word: string | undefined, options: readonly OptionSpec[]): boolean =>
  word?.startsWith('-') === true && optionNamed(word, options)?.flags.includes('<') === true

/** Live names with what a person wants to know before choosing one. */
export const liveNames =
  (client: Client): LiveNames =>
  async kind => {
    switch (kind) {
      case 'workload':
        return workloadNames(client)
      case 'scaling':
        return (await workloadNames(client)).map(each => ({ ...each, value: `${each.value}=`, isOpen: true }))
      case 'pod':
        return podNames(client)
      case 'node':
        return nodeNames(client)
      case 'token':
        return (await client.tokens()).map(token => ({
          value: token.id,
          description: `${token.kind} ${token.state}`,
        }))
      case 'target': {
        const [workloads, pods, nodes] = await Promise.all([
          workloadNames(client),
          podNames(client),
          nodeNames(client),
        ])
        return [...workloads, ...pods, ...nodes.map(node => ({ ...node, value: `node/${node.value}` }))]
      }
    }
  }

const workloadNames = async (client: Client): Promise<readonly Candidate[]> =>
  (await client.workloads()).map(each => ({
    value: each.name,
    description: `${each.healthy}/${each.wanted} healthy`,
  }))

const podNames = async (client: Client): Promise<readonly Candidate[]> =>
  (await client.pods())
    .filter(pod => pod.state !== 'stopped' && pod.state !== 'lost')
    .map(pod => ({
      value: pod.name,
      description: escapeLine(`${pod.state}${pod.node === null ? '' : ` @${pod.node}`}`),
    }))

const nodeNames = async (client: Client): Promise<readonly Candidate[]> =>
  (await client.nodes()).map(node => ({ value: node.name, description: `${node.state} ${node.role}` }))
