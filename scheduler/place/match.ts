/** Whether a node is of the right kind for a workload at all: what it can run and its hard constraints. */
import type { Node } from '../model/node.ts'
import type { Constraint } from '../model/selector.ts'
import type { PodTemplate, WorkloadSpec } from '../model/workload.ts'
import { compilePattern } from '../pattern.ts'

/** The value that constraints see; undefined when the node has no such label. */
export const attributeOf = (node: Node, attribute: string): string | undefined => {
  switch (attribute) {
    case 'node.name':
      return node.name
    case 'node.id':
      return node.id
    case 'node.address':
      return node.address
    case 'node.runtime':
      return node.runtime
    default:
      return Object.hasOwn(node.labels, attribute) ? node.labels[attribute] : undefined
  }
}

/**
 * A constraint made ready: ask once per distinct value of its attribute, not per node. A node without the label passes
 * `!=` and `notin` only.
 */
export const testOf = ({ operator, values }: Constraint): ((value: string | undefined) => boolean) => {
  switch (operator) {
    case '==':
      return value => value === values[0]
    case '!=':
      return value => value !== values[0]
    case 'in':
      return value => value !== undefined && values.includes(value)
    case 'notin':
      return value => value === undefined || !values.includes(value)
    case 'exists':
      return value => value !== undefined
    case 'regex': {
      const compiled = compilePattern(values[0] ?? '')
      return value => compiled.ok && value !== undefined && compiled.matches(value)
    }
  }
}

/** Which runtimes the pod's containers call for: an image needs an engine, a bare command needs the host. */
export const runtimeNeeds = ({
  containers,
}: PodTemplate): { readonly images: boolean; readonly commands: boolean } => ({
  images: containers.some(({ image }) => image !== null),
  commands: containers.some(({ image }) => image === null),
})

export const canRun = (node: Node, needs: ReturnType<typeof runtimeNeeds>): boolean => {
  if (node.runtime === 'fake') return true
  return node.runtime === 'docker' ? !needs.commands : !needs.images
}

/** Prepared once per workload, asked per node. */
export const nodeMatcher = (spec: WorkloadSpec): ((node: Node) => boolean) => {
  const needs = runtimeNeeds(spec.pod)
  const tests = spec.place.constraints
    .filter(({ hard }) => hard)
    .map(constraint => ({ attribute: constraint.attribute, passes: testOf(constraint) }))
  return node =>
    canRun(node, needs) && tests.every(({ attribute, passes }) => passes(attributeOf(node, attribute)))
}
