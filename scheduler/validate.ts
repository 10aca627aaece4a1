/** What a workload's spec must satisfy beyond its shape. The same checks run at the API and in `apply`. */
import { isSame } from './canonical.ts'
import type { Constraint, Labels } from './model/selector.ts'
import type { ContainerSpec, HealthCheck, PodTemplate, WorkloadSpec } from './model/workload.ts'
import { isWorkloadName } from './namespace.ts'
import { compilePattern } from './pattern.ts'

export type Problem = {
  /** `pod.containers[0].ports[1].host`. */
  readonly path: string
  /** A sentence without a full stop. */
  readonly message: string
}

export const COUNT_MAX = 100_000
const CONTAINERS_MAX = 20
const PORTS_MAX = 100
const CONSTRAINTS_MAX = 50
const VALUES_MAX = 100
const VALUE_LENGTH_MAX = 1_000
/** What sentences and reports repeat stays short: both are part of the log. */
const IMAGE_LENGTH_MAX = 512
const PATH_LENGTH_MAX = 2_048
const LABEL_VALUE_LENGTH_MAX = 63
const PROBLEMS_MAX = 50
const NAME = /^[a-z][a-z0-9-]{0,62}$/
const LABEL_KEY = /^[A-Za-z0-9]([A-Za-z0-9_./-]{0,126}[A-Za-z0-9])?$/
const ENV_KEY = /^[A-Za-z_][A-Za-z0-9_.-]*$/

type Report = (path: string, message: string) => void

/** Equal templates run on: a change of count, place, restart or update alone replaces no pod. */
export const sameTemplate = (a: PodTemplate, b: PodTemplate): boolean => isSame(a, b)

/** All problems found, at most PROBLEMS_MAX; none means the spec may enter the log. */
export const validateSpec = (spec: WorkloadSpec): readonly Problem[] => {
  const problems: Problem[] = []
  const report: Report = (path, message) => {
    if (problems.length < PROBLEMS_MAX) problems.push({ path, message })
  }
  if (!isWorkloadName(spec.name))
    report(
      'name',
      'a name starts with a letter and has up to 63 characters of a-z, 0-9 and -, as has a namespace before it',
    )
  checkNumber(report, 'count', spec.count, 0, COUNT_MAX)
  checkTemplate(report, spec.pod)
  checkPlace(report, spec)
  checkNumber(report, 'restart.backoffMs', spec.restart.backoffMs, 0, 86_400_000)
  checkNumber(report, 'restart.backoffMsMax', spec.restart.backoffMsMax, 0, 86_400_000)
  if (spec.restart.backoffMsMax < spec.restart.backoffMs)
    report('restart.backoffMsMax', 'the longest back-off is not shorter than the first')
  if (spec.restart.attemptsMax !== null)
    checkNumber(report, 'restart.attemptsMax', spec.restart.attemptsMax, 0, 1_000_000)
  checkNumber(report, 'update.parallelism', spec.update.parallelism, 1, COUNT_MAX)
  return problems
}

const checkNumber = (report: Report, path: string, value: number, min: number, max: number): void => {
  if (!Number.isInteger(value) || value < min || value > max)
    report(path, `must be a whole number from ${min} to ${max}`)
}

const checkTemplate = (report: Report, template: PodTemplate): void => {
  checkLabels(report, 'pod.labels', template.labels)
  const { containers } = template
  if (containers.length === 0) report('pod.containers', 'a pod has at least one container')
  if (containers.length > CONTAINERS_MAX)
    report('pod.containers', `a pod has at most ${CONTAINERS_MAX} containers`)
  const names = new Seen()
  for (const [number, container] of containers.entries()) {
    const path = `pod.containers[${number}]`
    if (!NAME.test(container.name))
      report(`${path}.name`, 'a name starts with a letter and has up to 63 characters of a-z, 0-9 and -')
    if (!names.add(container.name)) report(`${path}.name`, `another container is named ${container.name}`)
    checkContainer(report, path, container)
  }
  checkPorts(report, containers)
}

const checkContainer = (report: Report, path: string, container: ContainerSpec): void => {
  if ((container.image?.length ?? 0) > IMAGE_LENGTH_MAX)
    report(`${path}.image`, `an image has at most ${IMAGE_LENGTH_MAX} characters`)
  if (container.image === '') report(`${path}.image`, 'an image is not empty; leave it out to run a command')
  if (container.image === null && container.command.length === 0)
    report(`${path}.command`, 'a container without an image needs a command')
  if (container.command[0] === '') report(`${path}.command`, 'a command does not start with an empty word')
  for (const key of Object.keys(container.env))
    if (!ENV_KEY.test(key)) report(`${path}.env`, `"${key}" is no name for an environment variable`)
  checkNumber(report, `${path}.resources.cpuMillis`, container.resources.cpuMillis, 0, 10_000_000)
  checkNumber(
    report,
    `${path}.resources.memoryBytes`,
    container.resources.memoryBytes,
    0,
    Number.MAX_SAFE_INTEGER,
  )
  if (container.health) checkHealth(report, `${path}.health`, container.health, container)
}

const checkHealth = (report: Report, path: string, health: HealthCheck, container: ContainerSpec): void => {
  checkNumber(report, `${path}.intervalMs`, health.intervalMs, 1, 86_400_000)
  checkNumber(report, `${path}.timeoutMs`, health.timeoutMs, 1, 86_400_000)
  checkNumber(report, `${path}.startPeriodMs`, health.startPeriodMs, 0, 86_400_000)
  checkNumber(report, `${path}.threshold`, health.threshold, 1, 1_000)
  if (health.type === 'exec') {
    if (health.command.length === 0) report(`${path}.command`, 'an exec check needs a command')
    return
  }
  if (health.type === 'http' && !health.path.startsWith('/')) report(`${path}.path`, 'a path starts with /')
  if (health.type === 'http' && health.path.length > PATH_LENGTH_MAX)
    report(`${path}.path`, `a path has at most ${PATH_LENGTH_MAX} characters`)
  const port = container.ports.find(known => known.name === health.port)
  if (!port)
    report(
      `${path}.port`,
      `container ${container.name} has no port named "${health.port}"${knownPorts(container)}`,
    )
  else if (port.protocol === 'udp') report(`${path}.port`, 'a check needs a tcp port')
}

const knownPorts = ({ ports }: ContainerSpec): string =>
  ports.length === 0 ? '' : ` (it has ${ports.map(port => port.name).join(', ')})`

/** Names and host ports are unique within the pod: its containers share one address. */
const checkPorts = (report: Report, containers: readonly ContainerSpec[]): void => {
  const names = new Seen()
  const hosts = new Seen()
  const inner = new Seen()
  for (const [c, container] of containers.entries()) {
    for (const [p, port] of container.ports.entries()) {
      const path = `pod.containers[${c}].ports[${p}]`
      if (port.name === '' || port.name.length > 63)
        report(`${path}.name`, 'a port name has 1 to 63 characters')
      if (!names.add(port.name)) report(`${path}.name`, `another port of the pod is named ${port.name}`)
      checkNumber(report, `${path}.container`, port.container, 0, 65_535)
      const key = `${port.container}/${port.protocol}`
      const isFresh = inner.add(key)
      if (port.container !== 0 && !isFresh) report(`${path}.container`, `port ${key} is declared twice`)
      if (port.host === null) continue
      checkNumber(report, `${path}.host`, port.host, 1, 65_535)
      const host = `${port.host}/${port.protocol}`
      if (!hosts.add(host)) report(`${path}.host`, `host port ${host} is declared twice`)
    }
  }
  if (names.size > PORTS_MAX) report('pod.containers', `a pod has at most ${PORTS_MAX} ports`)
}

const checkPlace = (report: Report, { place }: WorkloadSpec): void => {
  if (place.maxPerNode !== null) checkNumber(report, 'place.maxPerNode', place.maxPerNode, 1, COUNT_MAX)
  for (const [number, key] of place.spread.entries())
    if (!LABEL_KEY.test(key)) report(`place.spread[${number}]`, `"${key}" is no label key`)
  if (place.constraints.length > CONSTRAINTS_MAX)
    report('place.constraints', `a workload has at most ${CONSTRAINTS_MAX} constraints`)
  for (const [number, constraint] of place.constraints.entries())
    checkConstraint(report, `place.constraints[${number}]`, constraint)
}

const checkConstraint = (report: Report, path: string, constraint: Constraint): void => {
  const { attribute, operator, values } = constraint
  if (!LABEL_KEY.test(attribute))
    report(`${path}.attribute`, `"${attribute}" is no label key or node attribute`)
  if (!constraint.hard) checkNumber(report, `${path}.weight`, constraint.weight, 1, 100)
  if (operator === 'exists' && values.length > 0) report(`${path}.values`, 'exists takes no value')
  if ((operator === 'in' || operator === 'notin') && values.length === 0)
    report(`${path}.values`, `${operator} needs at least one value`)
  if ((operator === '==' || operator === '!=' || operator === 'regex') && values.length !== 1)
    report(`${path}.values`, `${operator} takes one value`)
  if (values.length > VALUES_MAX || values.some(value => value.length > VALUE_LENGTH_MAX))
    report(`${path}.values`, `at most ${VALUES_MAX} values of up to ${VALUE_LENGTH_MAX} characters`)
  if (operator !== 'regex' || values[0] === undefined) return
  const compiled = compilePattern(values[0])
  if (!compiled.ok) report(`${path}.values[0]`, compiled.problem)
}

const checkLabels = (report: Report, path: string, labels: Labels): void => {
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key)) report(path, `"${key}" is no label key`)
    if (value.length > LABEL_VALUE_LENGTH_MAX)
      report(path, `the value of ${key} has more than ${LABEL_VALUE_LENGTH_MAX} characters`)
  }
}

/** Which texts were there already. Most pods have one container with one port, for which a set would cost the most here. */
class Seen {
  #first: string | null = null
  #others: Set<string> | null = null

  get size(): number {
    return (this.#first === null ? 0 : 1) + (this.#others?.size ?? 0)
  }

  /** False: it was there. */
  add(text: string): boolean {
    if (this.#first === text) return false
    if (this.#first === null) {
      this.#first = text
      return true
    }
    this.#others ??= new Set()
    const before = this.#others.size
    return this.#others.add(text).size > before
  }
}
