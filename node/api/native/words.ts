/** Splits a command line as a POSIX shell would, without expanding anything. */

export type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly message: string }

/** Blanks separate; '…' is literal; "…" knows \" \\ \$ \`; a backslash elsewhere takes the next character as it is. */
export const splitWords = (text: string): Words => {
  const words: string[] = []
  let word: string | null = null
  let quote: "'" | '"' | null = null
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (quote === "'") {
      if (character === "'") quote = null
      else word = (word ?? '') + character
    } else if (character === '\\' && (quote === null || '"\\$`'.includes(text.charAt(at + 1)))) {
      if (at + 1 === text.length) return { ok: false, message: 'ends with a lone backslash' }
      word = (word ?? '') + text.charAt(++at)
    } else if (quote === '"') {
      if (character === '"') quote = null
      else word = (word ?? '') + character
    } else if (character === "'" || character === '"') {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else {
      word = (word ?? '') + character
    }
  }
  if (quote !== null) return { ok: false, message: `has an unclosed ${quote}` }
  if (word !== null) words.push(word)
  return { ok: true, words }
}
