/** Equality and one text for plain data, whatever the order of its keys. */

/** JSON with sorted keys. Takes plain data only: no undefined, functions, maps or cycles. */
export const canonicalText = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalText(item)}`).join(',')}}`
}

/** Equal as plain data. */
export const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) return isSameList(a, b)
  // A list of all keys is made for neither: every write compares two whole specs. Plain data inherits no keys.
  let surplus = 0
  for (const key in a) {
    if (!Object.hasOwn(b, key) || !isSame((a as Fields)[key], (b as Fields)[key])) return false
    surplus -= 1
  }
  for (const _ in b) surplus += 1
  return surplus === 0
}

type Fields = Readonly<Record<string, unknown>>

const isSameList = (a: unknown, b: unknown): boolean => {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  for (let position = 0; position < a.length; position++) if (!isSame(a[position], b[position])) return false
  return true
}

/** By code units, so equal on every machine, unlike a locale's order. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
