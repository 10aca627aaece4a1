/** Labels and the one algebra of constraints over them (SCHEDULING.md: interned later, plain now). */

export type Labels = Readonly<Record<string, string>>

export type ConstraintOperator = '==' | '!=' | 'in' | 'notin' | 'exists' | 'regex'

/**
 * One condition on a node's attribute. `attribute` is a label key, or one of the built-in `node.name`,
 * `node.id`, `node.address`, `node.runtime`. `values` has one element for `== != regex`, any number for
 * `in notin`, none for `exists`. A hard constraint rules nodes out; a soft one only lowers their score by `weight`.
 */
export type Constraint = {
  readonly attribute: string
  readonly operator: ConstraintOperator
  readonly values: readonly string[]
  readonly hard: boolean
  /** 1 to 100; only used when soft. */
  readonly weight: number
}
