/** `tutti shell`: every verb, with completion and history, through one node. */
import type { Command } from '../command.ts'

export const command: Command = {
  arguments: [],
  options: [],
  examples: ['tutti shell', 'echo ps | tutti shell'],
  isEndless: () => true,
  async run(_call, session) {
    const { runShell } = await import('../shell/shell.ts')
    return runShell(session)
  },
}
