/** Workload files as text: every complaint is told with its file, line and column. */
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import { type Issue, issueText, parseWorkload, WORKLOAD_BYTES_MAX } from '../node/api/native/workload-file.ts'
import { Failure, messageOf } from '../node/errors.ts'

export { WORKLOAD_BYTES_MAX }

const DOCUMENTS_MAX = 100
const ALIASES_MAX = 100
const COMPLAINTS_MAX = 20

export type FileWorkload = { readonly name: string; readonly value: unknown }

/** The workloads of one file, in order, all of them right. Throws Failure: E_INVALID with every complaint, E_TOO_LARGE. */
export const readWorkloads = (text: string, file: string): readonly FileWorkload[] => {
  if (Buffer.byteLength(text) > WORKLOAD_BYTES_MAX) {
    throw new Failure('E_TOO_LARGE', `${file} is larger than ${WORKLOAD_BYTES_MAX} bytes`)
  }
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true })
  const documents = Array.isArray(parsed) ? parsed : []
  if (documents.length > DOCUMENTS_MAX)
    throw new Failure('E_TOO_LARGE', `${file} holds more than ${DOCUMENTS_MAX} documents`)
  const complaints: string[] = []
  const complain = (offset: number, sentence: string): void => {
    const { line, col } = lines.linePos(offset)
    complaints.push(`${file}:${line}:${col}  ${sentence}`)
  }
  const workloads = documents.flatMap(document => {
    return readDocument(document, complain)
  })
  if (complaints.length > 0) throw invalid(file, complaints)
  if (workloads.length === 0)
    throw new Failure('E_INVALID', {
      message: `${file} holds no workload`,
      try: 'a file with name, count and pod.containers',
    })
  return workloads
}

const readDocument = (
  document: Document.Parsed,
  complain: (offset: number, text: string) => void,
): FileWorkload[] => {
  for (const error of document.errors)
    complain(error.pos[0], error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? '')
  if (document.errors.length > 0) return []
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX })
  } catch (thrown) {
    complain(document.range[0], messageOf(thrown))
    return []
  }
  // Nothing between two `---`.
  if (value === null) return []
  const result = parseWorkload(value)
  if (result.ok) return [{ name: result.spec.name, value }]
  for (const issue of result.issues) complain(offsetOf(document, issue), issueText(issue))
  return []
}

/** Where the path's key stands in the text, or the nearest thing above it that is there. */
const offsetOf = (document: Document.Parsed, { path, isName }: Issue): number => {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const [at, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === String(part))
      if (pair === undefined) return offset
      const isValue = at === path.length - 1 && isName !== true
      const place = isValue && isScalar(pair.value) && isNode(pair.value) ? pair.value : pair.key
      offset = isNode(place) ? (place.range?.[0] ?? offset) : offset
      node = pair.value
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part]
      offset = isNode(node) ? (node.range?.[0] ?? offset) : offset
    } else {
      return offset
    }
  }
  return offset
}

const invalid = (file: string, complaints: readonly string[]): Failure => {
  const shown = complaints.slice(0, COMPLAINTS_MAX)
  const more = complaints.length - shown.length
  return new Failure('E_INVALID', {
    message: [
      `${file} was refused; nothing was changed`,
      ...shown,
      ...(more > 0 ? [`and ${more} more`] : []),
    ].join('\n'),
  })
}
