/** The one render boundary for text that somebody else wrote: nothing that passes it can move a cursor or hide text (CVE-2021-25743). */

// C0 except \n and \t, DEL, C1, soft hyphen, Arabic letter mark, zero width and bidi controls, line and paragraph
// separators, invisible operators, variation of direction, BOM, interlinear marks, tag characters.
const DANGEROUS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

// biome-ignore lint/suspicious/noControlCharactersInRegex: SGR is the one escape sequence that logs may keep
const SGR = /(\u001b\[[0-9;:]{0,32}m)/
const SGR_RESET = '\u001b[0m'

const written = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}

/** Text of several lines: control, bidi and zero-width characters become `\x1b` or `\u202e`; `\n` and `\t` stay. */
export const escapeText = (text: string): string => text.replace(DANGEROUS, written)

/** Text for one table cell or one line: as `escapeText`, and `\n` and `\t` are written out too. */
export const escapeLine = (text: string): string =>
  escapeText(text).replace(/[\n\t]/g, character => (character === '\n' ? '\\n' : '\\t'))

/** One log line: colours (SGR) stay when `keepColour`, and are closed at its end; everything else is escaped. */
export const escapeLog = (line: string, keepColour: boolean): string => {
  const parts = line.replaceAll('\n', ' ').split(SGR)
  const kept = parts
    .map((part, index) => (index % 2 === 0 ? escapeText(part) : keepColour ? part : ''))
    .join('')
  return keepColour && parts.length > 1 ? kept + SGR_RESET : kept
}

/** JSON text whose dangerous characters are written as `\u` and four digits: the same value to a parser, harmless to a terminal. */
export const escapeJson = (json: string): string =>
  json.replace(DANGEROUS, character =>
    [...Array(character.length).keys()]
      .map(at => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )

/** True when the text holds a character that the functions above would change. */
export const isDangerous = (text: string): boolean => text.search(DANGEROUS) !== -1
