/** How amounts, ports and conditions are written in workload files and flags. Pure; each refusal is the end of a sentence. */
import type { Constraint, ConstraintOperator } from '../../../scheduler/index.ts'

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string }

export type ParsedPort = {
  readonly name: string | null
  readonly container: number
  readonly host: number | null
  readonly protocol: 'tcp' | 'udp'
}

const CORES_MAX = 4096
const MEMORY_BYTES_MAX = 2 ** 50
const DURATION_MS_MAX = 30 * 86_400_000
const PORT_MAX = 65_535
const SOFT_WEIGHT_DEFAULT = 50

const MEMORY_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  ki: 2 ** 10,
  kib: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  mi: 2 ** 20,
  mib: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
  gi: 2 ** 30,
  gib: 2 ** 30,
  t: 2 ** 40,
  tb: 2 ** 40,
  ti: 2 ** 40,
  tib: 2 ** 40,
}
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** The value as a person wrote it, short enough for a sentence. */
export const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}

const refuse = (message: string, value: unknown): Parsed<never> => ({
  ok: false,
  message: `${message}, got ${shown(value)}`,
})

/** `0.5`, `"0.5"` or `"500m"` as thousandths of a core. */
export const parseCpu = (value: unknown): Parsed<number> => {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(m?)$/.exec(String(value))
  const millis = match === null ? Number.NaN : Math.round(Number(match[1]) * (match[2] === 'm' ? 1 : 1000))
  if ((typeof value === 'number' || typeof value === 'string') && millis >= 0 && millis <= CORES_MAX * 1000) {
    return { ok: true, value: millis }
  }
  return refuse('must be a number of cores such as 0.5 or "500m"', value)
}

/** Bytes of a number, or of `128M`, `128Mi`, `1.5GiB`: every unit is binary, as in Docker. */
export const parseMemory = (value: unknown): Parsed<number> => {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s?([a-zA-Z]{0,3})$/.exec(String(value))
  const unit = MEMORY_UNITS[match?.[2]?.toLowerCase() ?? '']
  const count = match === null || unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit)
  if ((typeof value === 'number' || typeof value === 'string') && count >= 0 && count <= MEMORY_BYTES_MAX) {
    return { ok: true, value: count }
  }
  return refuse('must be a number of bytes such as 128M or 1.5G', value)
}

/** Milliseconds of `500ms`, `5s`, `1.5m`, `2h`, `1d`, or of a bare number of seconds. */
export const parseDuration = (value: unknown): Parsed<number> => {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(String(value))
  const ms =
    match === null ? Number.NaN : Math.round(Number(match[1]) * (DURATION_UNITS[match[2] ?? 's'] ?? 0))
  if ((typeof value === 'number' || typeof value === 'string') && ms >= 0 && ms <= DURATION_MS_MAX) {
    return { ok: true, value: ms }
  }
  return refuse('must be a duration such as 500ms, 5s or 2m', value)
}

/** A duration of at least one millisecond: something that is waited for again and again. */
export const parseInterval = (value: unknown): Parsed<number> => {
  const parsed = parseDuration(value)
  return parsed.ok && parsed.value === 0 ? refuse('must be longer than nothing', value) : parsed
}

/** `80`, `"80/udp"`, `"8080:80"`, `"8080:80/udp"`. Container port 0: the process is told its port as PORT. */
export const parsePort = (value: unknown): Parsed<ParsedPort> => {
  const match = /^(?:(\d{1,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(String(value))
  const host = match?.[1] === undefined ? null : Number(match[1])
  const container = Number(match?.[2])
  const isRight =
    match !== null && container <= PORT_MAX && (host === null || (host >= 1 && host <= PORT_MAX))
  if (!isRight || (typeof value !== 'number' && typeof value !== 'string')) {
    return refuse('must be a port such as 80, "8080:80" or "53/udp"', value)
  }
  return { ok: true, value: { name: null, container, host, protocol: match[3] === 'udp' ? 'udp' : 'tcp' } }
}

const condition = (
  attribute: string,
  operator: ConstraintOperator,
  values: readonly string[],
): Omit<Constraint, 'hard' | 'weight'> => ({ attribute, operator, values })

const parseCondition = (text: string): Omit<Constraint, 'hard' | 'weight'> | null => {
  const exists = /^(?:exists\s+([\w./-]+)|([\w./-]+)\s+exists)$/.exec(text)
  if (exists !== null) return condition(exists[1] ?? exists[2] ?? '', 'exists', [])
  const list = /^([\w./-]+)\s+(in|notin|not\s+in)\s+\(?([^()]+)\)?$/.exec(text)
  if (list !== null) {
    const values = (list[3] ?? '').split(',').map(value => value.trim())
    if (values.some(value => value === '')) return null
    return condition(list[1] ?? '', list[2] === 'in' ? 'in' : 'notin', values)
  }
  const pattern = /^([\w./-]+)\s*(?:=~|\sregex\s)\s*(.+)$/.exec(text)
  if (pattern !== null) return condition(pattern[1] ?? '', 'regex', [pattern[2] ?? ''])
  const equal = /^([\w./-]+)\s*(==|!=|=)\s*([^=~\s].*)$/.exec(text)
  if (equal !== null) return condition(equal[1] ?? '', equal[2] === '!=' ? '!=' : '==', [equal[3] ?? ''])
  return null
}

/**
 * `zone==eu`, `zone!=eu`, `disk in ssd,nvme`, `disk notin hdd`, `exists gpu`, `name =~ ^a`. A trailing ` ~` makes it
 * a wish instead of a demand, ` ~80` one with weight 80.
 */
export const parseConstraint = (value: unknown): Parsed<Constraint> => {
  const match = typeof value === 'string' ? /^(.*?)(?:\s*~\s*(\d{1,3})?)?$/s.exec(value.trim()) : null
  const found = match === null ? null : parseCondition(match[1]?.trim() ?? '')
  if (match === null || found === null) {
    if (typeof value === 'string' && /^!\s*exists\b/.test(value.trim())) {
      return refuse(
        'cannot ask for the absence of a label; use KEY!=VALUE, which a node without KEY meets',
        value,
      )
    }
    return refuse('must be a condition such as zone==eu, "disk in ssd,nvme" or "exists gpu"', value)
  }
  const isSoft = /~\s*(\d{1,3})?$/.test(String(value).trim())
  const weight = match[2] === undefined ? SOFT_WEIGHT_DEFAULT : Number(match[2])
  if (weight < 1 || weight > 100) return refuse('must have a weight from 1 to 100 after the ~', value)
  return { ok: true, value: { ...found, hard: !isSoft, weight } }
}
