/** One text for one value, whatever the order of its keys: what hashes and deep comparisons are made of. */

/** JSON with sorted keys. Takes plain data only: no undefined, functions, maps or cycles. */
export const canonicalText = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalText(item)}`).join(',')}}`
}

/** Equal as plain data. */
export const isSame = (a: unknown, b: unknown): boolean => a === b || canonicalText(a) === canonicalText(b)

/** By code units, so equal on every machine, unlike a locale's order. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
