/**
 * Small private files that are either old or new after a crash, never half: written beside, synced, renamed. And what
 * every kind of damage on disk is told as.
 */
import { open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type ErrorText, Failure } from './errors.ts'

/** Replaces `directory/name` with mode 0600; durable, its name included, when it resolves. Throws what the disk throws. */
export const writeDurably = (directory: string, name: string, content: string | Uint8Array): Promise<void> =>
  replaceDurably(join(directory, name), content)

/** The same for a whole path. */
export const replaceDurably = async (path: string, content: string | Uint8Array): Promise<void> => {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** JSON that a person can read, with a checksum as its last field. Keys that look like whole numbers are not to be used. */
export const sealedJson = (value: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify({ ...value, crc: crcOf(value) }, null, 2)}\n`

/** What `sealedJson` was given; or what an earlier version wrote, whose files of format 1 or none had no checksum. Else null. */
export const unsealedJson = (text: string): Readonly<Record<string, unknown>> | null => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null
  const { crc, ...value } = parsed as Record<string, unknown>
  const isFromBefore = crc === undefined && (value.format === undefined || value.format === 1)
  return isFromBefore || crc === crcOf(value) ? value : null
}

const crcOf = (value: Readonly<Record<string, unknown>>): string =>
  crc32(JSON.stringify(value)).toString(16).padStart(8, '0')

/** How a node becomes whole whose own log cannot be trusted any more: its peers have all that it had. */
const WAY_BACK = 'tutti repair, which fetches the state anew from the other nodes'

/** `what` is a sentence that names the file and the place in it. */
export const damageText = (
  what: string,
  why = 'a node that forgot what it promised to the others must not vote again',
): ErrorText => ({ message: what, why, try: WAY_BACK })

/** E_DISK_DAMAGED: this node cannot start from its disk. */
export const damageFailure = (what: string, why?: string, cause?: unknown): Failure =>
  new Failure('E_DISK_DAMAGED', damageText(what, why), cause === undefined ? {} : { cause })
