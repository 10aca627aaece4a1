/** What a workload file says, checked strictly and completed with defaults. Pure: the same for the command line and the API. */
import type { z } from 'zod'
import {
  type ContainerSpec,
  type HealthCheck,
  type Port,
  type Problem,
  validateSpec,
  type WorkloadSpec,
} from '../../../scheduler/index.ts'
import { nearest } from '../nearest.ts'
import { shown } from './quantities.ts'
import {
  type ContainerFields,
  FIELDS,
  type HealthFields,
  type WorkloadFields,
  workloadFields,
} from './workload-fields.ts'

/** Largest file or request body that is read at all. */
export const WORKLOAD_BYTES_MAX = 1024 * 1024
const DEPTH_MAX = 32
const VALUES_MAX = 20_000
const ISSUES_MAX = 20
const NAMES_REFUSED = new Set(['__proto__', 'constructor', 'prototype'])

export type Issue = {
  readonly path: readonly (string | number)[]
  /** What is wrong there: `must be a whole number from 0 to 9, got "lots"`. */
  readonly message: string
  readonly guess?: string
  /** The name itself is wrong, not what it holds. */
  readonly isName?: true
}

export type ParsedWorkload =
  | { readonly ok: true; readonly spec: WorkloadSpec }
  | { readonly ok: false; readonly issues: readonly Issue[] }

/** `pod.containers[0].image`; the whole file is `workload`. */
export const pathText = (path: Issue['path']): string =>
  path.length === 0
    ? 'workload'
    : path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('')

/** The issue as one sentence, with its guess. */
export const issueText = (issue: Issue): string =>
  `${pathText(issue.path)}: ${issue.message}${issue.guess === undefined ? '' : ` — did you mean "${issue.guess}"?`}`

/** Checks a value that YAML or JSON gave. At most 20 issues are told. Never throws, whatever the value. */
export const parseWorkload = (value: unknown): ParsedWorkload => {
  const hostile = findHostile(value)
  if (hostile !== null) return { ok: false, issues: [hostile] }
  const parsed = workloadFields.safeParse(value)
  if (!parsed.success) {
    const issues = parsed.error.issues.flatMap(issue => issuesOf(issue, value, []))
    return { ok: false, issues: issues.slice(0, ISSUES_MAX) }
  }
  const issues: Issue[] = []
  const spec = complete(parsed.data, issues)
  if (issues.length === 0) issues.push(...validateSpec(spec).map(issueOfProblem))
  return issues.length === 0 ? { ok: true, spec } : { ok: false, issues: issues.slice(0, ISSUES_MAX) }
}

// Names of the spec that a file spells without their unit.
const FILE_NAMES: Readonly<Record<string, string>> = {
  backoffMs: 'backoff',
  backoffMsMax: 'backoffMax',
  attemptsMax: 'attempts',
  cpuMillis: 'cpu',
  memoryBytes: 'memory',
  intervalMs: 'interval',
  timeoutMs: 'timeout',
  startPeriodMs: 'startPeriod',
}

const issueOfProblem = (problem: Problem): Issue => ({
  path: (problem.path.match(/[^.[\]]+/g) ?? []).map(part =>
    /^\d+$/.test(part) ? Number(part) : (FILE_NAMES[part] ?? part),
  ),
  message: problem.message,
})

/** Depth, size and names that no model should ever see; an alias bomb is counted as if written out. */
const findHostile = (value: unknown): Issue | null => {
  let count = 0
  /** Where `visit` is; an issue takes a copy of it. */
  const path: (string | number)[] = []
  const visit = (part: unknown): Issue | null => {
    if (++count > VALUES_MAX) return { path: [], message: `holds more than ${VALUES_MAX} values` }
    if (typeof part === 'string' && part.includes('\0'))
      return { path: [...path], message: 'must not hold a NUL character' }
    if (typeof part !== 'object' || part === null) return null
    if (path.length >= DEPTH_MAX)
      return { path: path.slice(0, 4), message: `is nested deeper than ${DEPTH_MAX} levels` }
    const isList = Array.isArray(part)
    for (const key of Object.keys(part)) {
      path.push(isList ? Number(key) : key)
      if (NAMES_REFUSED.has(key))
        return { path: [...path], message: 'is a name that is never allowed', isName: true }
      const found = visit((part as Record<string, unknown>)[key])
      if (found !== null) return found
      path.pop()
    }
    return null
  }
  return visit(value)
}

const valueAt = (value: unknown, path: Issue['path']): unknown =>
  path.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null ? (part as Record<string | number, unknown>)[key] : undefined,
    value,
  )

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
}

const withGuess = (issue: Issue, guess: string | null): Issue =>
  guess === null ? issue : { ...issue, guess }

const issuesOf = (issue: z.core.$ZodIssue, value: unknown, above: Issue['path']): Issue[] => {
  const path = [...above, ...issue.path.map(part => (typeof part === 'symbol' ? String(part) : part))]
  const got = valueAt(value, path)
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = FIELDS[path.map(part => (typeof part === 'number' ? '*' : part)).join('.')] ?? []
      return issue.keys.map(key =>
        withGuess(
          { path: [...path, key], message: 'is not a known field', isName: true },
          nearest(key, known),
        ),
      )
    }
    case 'invalid_value': {
      const message = `must be ${issue.values
        .map(String)
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1')}, got ${shown(got)}`
      return [
        withGuess({ path, message }, typeof got === 'string' ? nearest(got, issue.values.map(String)) : null),
      ]
    }
    case 'invalid_union': {
      // The branch for the value's own kind is the one that a person meant: it has no complaint about the type itself.
      const meant = issue.errors.find(branch =>
        branch.every(inner => inner.path.length > 0 || inner.code !== 'invalid_type'),
      )
      return (meant ?? issue.errors[0] ?? []).flatMap(inner => issuesOf(inner, value, path))
    }
    case 'invalid_type':
      if (got === undefined) return [{ path, message: 'is missing' }]
      return [{ path, message: `must be ${TYPE_WORDS[issue.expected] ?? issue.expected}, got ${shown(got)}` }]
    case 'too_small':
      return [{ path, message: `must hold at least ${issue.minimum}` }]
    case 'too_big':
      return [{ path, message: `must hold at most ${issue.maximum}` }]
    default:
      return [
        {
          path,
          message: got === undefined && issue.message.endsWith('got nothing') ? 'is missing' : issue.message,
        },
      ]
  }
}

const complete = (fields: WorkloadFields, issues: Issue[]): WorkloadSpec => {
  const kind = fields.kind ?? 'service'
  return {
    name: fields.name,
    kind,
    count: fields.count ?? 1,
    pod: { labels: fields.pod.labels ?? {}, containers: completeContainers(fields.pod.containers, issues) },
    place: {
      strategy: fields.place?.strategy ?? 'spread',
      constraints: (fields.place?.constraints ?? []).map(({ match, soft, weight }) => ({
        ...match,
        hard: soft === undefined ? match.hard : !soft,
        weight: weight ?? match.weight,
      })),
      spread: fields.place?.spread ?? [],
      maxPerNode: fields.place?.maxPerNode ?? null,
    },
    restart: {
      policy: fields.restart?.policy ?? (kind === 'batch' ? 'on-failure' : 'always'),
      backoffMs: fields.restart?.backoff ?? 500,
      backoffMsMax: Math.max(fields.restart?.backoff ?? 500, fields.restart?.backoffMax ?? 30_000),
      attemptsMax:
        fields.restart?.attempts !== undefined ? fields.restart.attempts : kind === 'batch' ? 3 : null,
    },
    update: { parallelism: fields.update?.parallelism ?? 1, order: fields.update?.order ?? 'stop-first' },
  }
}

const completeContainers = (containers: readonly ContainerFields[], issues: Issue[]): ContainerSpec[] => {
  const portNames = new Set(
    containers.flatMap(container => (container.ports ?? []).flatMap(port => port.name ?? [])),
  )
  let unnamedCount = 0
  const nextPortName = (): string => {
    let name = ''
    do name = ++unnamedCount === 1 ? 'http' : `port-${unnamedCount}`
    while (portNames.has(name))
    return name
  }
  return containers.map((container, at) => {
    const path = ['pod', 'containers', at]
    const name = container.name ?? (at === 0 ? 'main' : `container-${at + 1}`)
    const image = container.image ?? null
    const command = container.command ?? []
    // A bare process has no port of its own to declare: it is given one and told by PORT.
    const declared = container.ports ?? (image === null ? [{ container: 0 }] : [])
    const ports = declared.map((port): Port => {
      const portName = port.name ?? nextPortName()
      return {
        name: portName,
        container: port.container,
        host: port.host ?? null,
        protocol: port.protocol ?? 'tcp',
      }
    })
    const health = container.health
      ? completeHealth(container.health, ports, [...path, 'health'], issues)
      : null
    const resources = {
      cpuMillis: container.resources?.cpu ?? 0,
      memoryBytes: container.resources?.memory ?? 0,
    }
    return { name, image, command, env: container.env ?? {}, ports, resources, health }
  })
}

const completeHealth = (
  fields: HealthFields,
  ports: readonly Port[],
  path: Issue['path'],
  issues: Issue[],
): HealthCheck | null => {
  const kinds = (['http', 'tcp', 'exec'] as const).filter(kind => fields[kind] !== undefined)
  if (kinds.length !== 1) {
    issues.push({
      path,
      message: `must have one of http, tcp and exec, got ${kinds.join(' and ') || 'none'}`,
    })
    return null
  }
  const timing = {
    intervalMs: fields.interval ?? 1000,
    timeoutMs: fields.timeout ?? 2000,
    startPeriodMs: fields.startPeriod ?? 10_000,
    threshold: fields.threshold ?? 3,
  }
  if (fields.exec !== undefined) return { ...timing, type: 'exec', command: fields.exec }
  const http = typeof fields.http === 'string' ? { path: fields.http, port: undefined } : fields.http
  const asked = http?.port ?? (fields.tcp === true ? undefined : fields.tcp) ?? fields.port
  const port =
    asked === undefined ? ports[0] : ports.find(each => each.name === asked || each.container === asked)
  if (port === undefined) {
    const text =
      asked === undefined
        ? 'needs a port, and the container declares none'
        : `names port ${shown(asked)}, which the container does not declare`
    issues.push(
      withGuess(
        { path, message: text },
        nearest(
          String(asked ?? ''),
          ports.map(each => each.name),
        ),
      ),
    )
    return null
  }
  return http === undefined
    ? { ...timing, type: 'tcp', port: port.name }
    : { ...timing, type: 'http', path: http.path, port: port.name }
}
