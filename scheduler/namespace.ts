/**
 * Namespaces are part of a workload's name: `prod/web` is the workload web of the namespace prod, and `web` is that of the
 * default one. So a name is unique within its namespace by being the key of the table, and slots, pods and events, which
 * carry it, say where they belong.
 */

export const DEFAULT_NAMESPACE = 'default'

const PART = '[a-z][a-z0-9-]{0,62}'
const WORKLOAD_NAME = new RegExp(`^(?:(${PART})/)?${PART}$`)
const NAMESPACE = new RegExp(`^${PART}$`)

/** Words that mean something else before a slash: `node/ash` is a node, and the default namespace is not written. */
const RESERVED: ReadonlySet<string> = new Set([DEFAULT_NAMESPACE, 'node'])

/** `web`, or `prod/web`. */
export const isWorkloadName = (text: string): boolean => {
  const match = WORKLOAD_NAME.exec(text)
  return match !== null && (match[1] === undefined || !RESERVED.has(match[1]))
}

/** A namespace that there may be; it needs no making. */
export const isNamespace = (text: string): boolean =>
  NAMESPACE.test(text) && (text === DEFAULT_NAMESPACE || !RESERVED.has(text))

/** Of a workload, of a slot (`prod/web.2`), or of whatever else is named after one. */
export const namespaceOf = (name: string): string => {
  const slash = name.indexOf('/')
  return slash < 0 ? DEFAULT_NAMESPACE : name.slice(0, slash)
}

/** The one way to write the name of a workload in a namespace. */
export const inNamespace = (namespace: string, name: string): string =>
  namespace === DEFAULT_NAMESPACE ? name : `${namespace}/${name}`
