/** Durations, ages and sizes as people write and read them. */

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `500ms`, `5s`, `1.5m`, `24h`, `7d`, or a bare number of seconds; null when it is none of these. */
export const parseDuration = (text: string): number | null => {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text.trim())
  if (match === null) return null
  return Math.round(Number(match[1]) * (UNITS_MS[match[2] ?? 's'] ?? 1000))
}

/** `0.4s`, `14.2s`, `2m05s`: how long something took. */
export const elapsed = (ms: number): string => {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}

/** `90s`, `5m`, `1h`, `7d`: how long something is valid, in the largest unit that says it to within a percent. */
export const span = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const isNear = (unit: number): boolean => {
    const count = Math.round(seconds / unit)
    return count > 0 && Math.abs(seconds - count * unit) <= seconds / 100
  }
  const unit = ([86_400, 3_600, 60] as const).find(isNear) ?? 1
  return `${Math.round(seconds / unit)}${({ 86400: 'd', 3600: 'h', 60: 'm', 1: 's' } as const)[unit]}`
}

/** `7s`, `4m`, `3h`, `12d`: one unit, rounded down. */
export const age = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** `128M`, `7.6G`: binary units, one digit after the point below ten. */
export const bytes = (count: number): string => {
  let value = count
  for (const unit of ['B', 'K', 'M', 'G', 'T']) {
    if (value < 1024 || unit === 'T') {
      return `${value < 10 && unit !== 'B' ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}${unit}`
    }
    value /= 1024
  }
  return String(count)
}

/** `0.5`, `4`: cores of thousandths of a core. */
export const cores = (millis: number): string => String(Math.round(millis / 10) / 100)

/** `12:00:01.2`: the local time of day of an ISO time; the text itself when it is none. */
export const clock = (iso: string): string => {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const two = (part: number): string => String(part).padStart(2, '0')
  const tenths = Math.floor(at.getMilliseconds() / 100)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${tenths}`
}
