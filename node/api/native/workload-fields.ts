/** The fields of a workload file and what each may hold, as a strict zod model. Defaults are filled in by workload-file.ts. */
import { z } from 'zod'
import { isWorkloadName } from '../../../scheduler/index.ts'
import {
  type Parsed,
  parseConstraint,
  parseCpu,
  parseDuration,
  parseInterval,
  parseMemory,
  parsePort,
  shown,
} from './quantities.ts'
import { splitWords } from './words.ts'

const COUNT_MAX = 100_000
const CONTAINERS_MAX = 16
const PORTS_MAX = 64
const CONSTRAINTS_MAX = 50
const WORDS_MAX = 512
const NAMES_MAX = 256
const TEXT_LENGTH_MAX = 32_768

const NAME = /^[a-z][a-z0-9-]{0,62}$/
const LABEL_KEY = /^[A-Za-z0-9][\w./-]{0,127}$/
const ENV_KEY = /^[A-Za-z_][\w.-]{0,255}$/
const IMAGE = /^[A-Za-z0-9][\w.:/@-]{0,254}$/

/** A field whose text form is read by one of the functions of quantities.ts. */
const read = <T>(parse: (value: unknown) => Parsed<T>) =>
  z.unknown().transform((value, context): T => {
    const parsed = parse(value)
    if (parsed.ok) return parsed.value
    context.addIssue({ code: 'custom', message: parsed.message })
    return z.NEVER
  })

const matching = (pattern: RegExp, what: string) =>
  read<string>(value =>
    typeof value === 'string' && pattern.test(value)
      ? { ok: true, value }
      : { ok: false, message: `must be ${what}, got ${shown(value)}` },
  )

const whole = (least: number, most: number) =>
  read<number>(value =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? { ok: true, value }
      : { ok: false, message: `must be a whole number from ${least} to ${most}, got ${shown(value)}` },
  )

const name = matching(NAME, 'a name of lower-case letters, digits and dashes')

/** `default/web` and `web` are the same workload, and the log has one name for it. */
const workloadName = read<string>(value => {
  const text = typeof value === 'string' ? value.replace(/^default\//, '') : ''
  return isWorkloadName(text)
    ? { ok: true, value: text }
    : {
        ok: false,
        message: `must be a name of lower-case letters, digits and dashes, perhaps after a namespace and a slash, got ${shown(value)}`,
      }
})
const labelKey = matching(LABEL_KEY, 'a label key of letters, digits, dots, slashes and dashes')

/** Text; numbers and booleans, which YAML makes of unquoted words, are taken as they were written. */
const loose = read<string>(value => {
  if (typeof value === 'number' || typeof value === 'boolean') return { ok: true, value: String(value) }
  if (typeof value === 'string' && value.length <= TEXT_LENGTH_MAX) return { ok: true, value }
  return { ok: false, message: `must be text, got ${shown(value)}` }
})

const namesOf = (pattern: RegExp, what: string) =>
  z.record(z.string(), loose).superRefine((map, context) => {
    const keys = Object.keys(map)
    if (keys.length > NAMES_MAX)
      context.addIssue({ code: 'custom', message: `has more than ${NAMES_MAX} names` })
    for (const key of keys) {
      if (!pattern.test(key)) context.addIssue({ code: 'custom', path: [key], message: `is not ${what}` })
    }
  })

const command = z.union([z.string(), z.array(loose)]).transform((value, context): readonly string[] => {
  const split = typeof value === 'string' ? splitWords(value) : { ok: true as const, words: value }
  if (split.ok && split.words.length <= WORDS_MAX && split.words[0] !== '') return split.words
  context.addIssue({
    code: 'custom',
    message: split.ok ? `must be a command of at most ${WORDS_MAX} words` : split.message,
  })
  return z.NEVER
})

const portShape = {
  name: name.optional(),
  container: whole(0, 65_535),
  host: whole(1, 65_535).nullable().optional(),
  protocol: z.enum(['tcp', 'udp']).optional(),
}
const portFields = z.strictObject(portShape)

/** Reads the short text form when there is one, and leaves a map for the strict model behind it. */
const shorthand =
  <T>(parse: (value: unknown) => Parsed<T>) =>
  (value: unknown, context: z.core.$RefinementCtx) => {
    if (typeof value === 'object' && value !== null) return value
    const parsed = parse(value)
    if (parsed.ok) return parsed.value
    context.addIssue({ code: 'custom', message: parsed.message })
    return z.NEVER
  }

const port = z.preprocess(
  shorthand(value => {
    const parsed = parsePort(value)
    if (!parsed.ok) return parsed
    const { container, host, protocol } = parsed.value
    return { ok: true, value: { container, host, protocol } }
  }),
  portFields,
)

/** A port of the container by its name or by its number inside the container. */
const portReference = z.union([name, whole(0, 65_535)])

const healthShape = {
  http: z
    .union([
      z.string().regex(/^\/[\x21-\x7e]*$/, 'must be a path that begins with /'),
      z.strictObject({
        path: z.string().regex(/^\/[\x21-\x7e]*$/, 'must be a path that begins with /'),
        port: portReference.optional(),
      }),
    ])
    .optional(),
  tcp: z.union([z.literal(true), portReference]).optional(),
  exec: command.optional(),
  port: portReference.optional(),
  interval: read(parseInterval).optional(),
  timeout: read(parseInterval).optional(),
  startPeriod: read(parseDuration).optional(),
  threshold: whole(1, 100).optional(),
}

const resourcesShape = { cpu: read(parseCpu).optional(), memory: read(parseMemory).optional() }

const containerShape = {
  name: name.optional(),
  image: matching(IMAGE, 'an image such as nginx:1.27').nullable().optional(),
  command: command.optional(),
  ports: z.array(port).max(PORTS_MAX).optional(),
  env: namesOf(ENV_KEY, 'a variable name').optional(),
  resources: z.strictObject(resourcesShape).optional(),
  health: z.strictObject(healthShape).nullable().optional(),
}

const podShape = {
  labels: namesOf(LABEL_KEY, 'a label key').optional(),
  containers: z.array(z.strictObject(containerShape)).min(1).max(CONTAINERS_MAX),
}

const constraintShape = {
  match: read(parseConstraint),
  soft: z.boolean().optional(),
  weight: whole(1, 100).optional(),
}
const constraint = z.preprocess(
  shorthand(value => {
    const parsed = parseConstraint(value)
    return parsed.ok ? { ok: true, value: { match: value } } : parsed
  }),
  z.strictObject(constraintShape),
)

const placeShape = {
  strategy: z.enum(['spread', 'binpack', 'random']).optional(),
  constraints: z.array(constraint).max(CONSTRAINTS_MAX).optional(),
  spread: z
    .preprocess(value => (typeof value === 'string' ? [value] : value), z.array(labelKey).max(8))
    .optional(),
  maxPerNode: whole(1, COUNT_MAX).nullable().optional(),
}

const restartShape = {
  policy: z.enum(['always', 'on-failure', 'never']).optional(),
  backoff: read(parseInterval).optional(),
  backoffMax: read(parseInterval).optional(),
  attempts: whole(0, 1000).nullable().optional(),
}

const updateShape = {
  parallelism: whole(1, COUNT_MAX).optional(),
  order: z.enum(['stop-first', 'start-first']).optional(),
}

const workloadShape = {
  name: workloadName,
  kind: z.enum(['service', 'global', 'batch']).optional(),
  count: whole(0, COUNT_MAX).optional(),
  pod: z.strictObject(podShape),
  place: z.strictObject(placeShape).optional(),
  restart: z
    .preprocess(
      value => (typeof value === 'string' ? { policy: value } : value),
      z.strictObject(restartShape),
    )
    .optional(),
  update: z.strictObject(updateShape).optional(),
}

export const workloadFields = z.strictObject(workloadShape)
export type WorkloadFields = z.infer<typeof workloadFields>
export type ContainerFields = WorkloadFields['pod']['containers'][number]
export type HealthFields = NonNullable<ContainerFields['health']>

/** Known fields by place; `*` stands for a position in a list. For guesses. */
export const FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(workloadShape),
  pod: Object.keys(podShape),
  'pod.containers.*': Object.keys(containerShape),
  'pod.containers.*.ports.*': Object.keys(portShape),
  'pod.containers.*.resources': Object.keys(resourcesShape),
  'pod.containers.*.health': Object.keys(healthShape),
  'pod.containers.*.health.http': ['path', 'port'],
  place: Object.keys(placeShape),
  'place.constraints.*': Object.keys(constraintShape),
  restart: Object.keys(restartShape),
  update: Object.keys(updateShape),
}
