/** Hard constraints as filters: each is judged once per distinct value of its attribute. */
import type { Constraint } from '../model/selector.ts'
import type { Filter } from './check.ts'
import { attributeOf, testOf } from './match.ts'
import { type Phrase, shortened } from './words.ts'

/** Of the values that a constraint names. */
const VALUES_LENGTH_MAX = 100

export const constraintChecks: Filter = ({ workload }, columns) =>
  workload.spec.place.constraints
    .filter(({ hard }) => hard)
    .map(constraint => {
      const passes = byValue(constraint)
      return {
        isLasting: true,
        fits: row => passes(attributeOf(columns.nodes[row]!, constraint.attribute)),
        phrase: () => phraseOf(constraint),
        remedy: remedyOf(constraint),
      }
    })

/** The same answer as `testOf`, remembered per value. */
export const byValue = (constraint: Constraint): ((value: string | undefined) => boolean) => {
  const test = testOf(constraint)
  const answers = new Map<string | undefined, boolean>()
  return value => {
    const known = answers.get(value)
    if (known !== undefined) return known
    const answer = test(value)
    answers.set(value, answer)
    return answer
  }
}

const isBuiltIn = (attribute: string): boolean => attribute.startsWith('node.')
const subject = (attribute: string): string => (isBuiltIn(attribute) ? attribute : `label ${attribute}`)

/** `zone=eu`, `zone in (eu, us)`, `zone matches /^eu/`. */
const wording = ({ attribute, operator, values }: Constraint): string => {
  switch (operator) {
    case '==':
    case '!=':
      return `${subject(attribute)}=${shortened(values[0] ?? '', VALUES_LENGTH_MAX)}`
    case 'in':
    case 'notin':
      return `${subject(attribute)} in (${shortened(values.join(', '), VALUES_LENGTH_MAX)})`
    case 'exists':
      return subject(attribute)
    case 'regex':
      return `${subject(attribute)} matching /${shortened(values[0] ?? '', VALUES_LENGTH_MAX)}/`
  }
}

const phraseOf = (constraint: Constraint): Phrase => {
  const isForbidding = constraint.operator === '!=' || constraint.operator === 'notin'
  const words = wording(constraint)
  return isForbidding ? [`has ${words}`, `have ${words}`] : [`lacks ${words}`, `lack ${words}`]
}

const remedyOf = (constraint: Constraint): string => {
  const words = wording(constraint)
  const isForbidding = constraint.operator === '!=' || constraint.operator === 'notin'
  if (isBuiltIn(constraint.attribute)) return `drop the constraint on ${constraint.attribute}`
  return isForbidding
    ? `start a node without ${words}, or drop the constraint`
    : `start a node with ${words}, or drop the constraint`
}
