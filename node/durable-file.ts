/** Small private files that are either old or new after a crash, never half: written beside, synced, renamed. */
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'

/** Replaces `directory/name` with mode 0600; durable, its name included, when it resolves. Throws what the disk throws. */
export const writeDurably = async (
  directory: string,
  name: string,
  content: string | Uint8Array,
): Promise<void> => {
  const path = join(directory, name)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
