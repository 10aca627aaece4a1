/** "Did you mean": the known name that a mistyped one is closest to. */

const NAME_CHARACTERS_MAX = 128

/** Null when nothing is close enough to be a likely typing mistake: a third of the letters, at least one. */
export const nearest = (wanted: string, names: Iterable<string>): string | null => {
  if (wanted.length > NAME_CHARACTERS_MAX) return null
  let best: { readonly name: string; readonly distance: number } | null = null
  for (const name of names) {
    if (name.length > NAME_CHARACTERS_MAX) continue
    const distance = isBeginning(wanted, name) ? 1 : distanceBetween(wanted, name)
    if (distance > Math.max(1, Math.floor(wanted.length / 3))) continue
    if (best === null || distance < best.distance) best = { name, distance }
  }
  return best?.name ?? null
}

const isBeginning = (wanted: string, name: string): boolean => wanted.length >= 3 && name.startsWith(wanted)

/** Edits between two words: insert, delete, replace a character, swap two neighbours (optimal string alignment). */
const distanceBetween = (a: string, b: string): number => {
  let twoAbove: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(
        Math.min(
          above[column - 1]! + (isSame ? 0 : 1),
          above[column]! + 1,
          current[column - 1]! + 1,
          isSwapped ? twoAbove[column - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    twoAbove = above
    above = current
  }
  return above[b.length]!
}
