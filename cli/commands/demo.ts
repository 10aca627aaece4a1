/** `tutti demo`: three nodes and a sample web workload on this machine; Ctrl-C leaves nothing of it behind. */
import type { Command } from '../command.ts'

export const command: Command = {
  arguments: [],
  options: [
    {
      flags: '--runtime <runtime>',
      description: 'what runs the pods',
      choices: ['auto', 'docker', 'process'],
    },
    { flags: '--keep', description: 'keep the data directory at the end' },
  ],
  examples: ['tutti demo'],
  isEndless: () => true,
  async run({ flags }, session) {
    const { runDemo } = await import('../demo/demo.ts')
    return runDemo({
      terminal: session.terminal,
      style: session.errorStyle,
      signal: session.signal,
      runtime: (flags.text('runtime') ?? 'auto') as 'auto' | 'docker' | 'process',
      version: session.settings.version,
      isKept: flags.is('keep'),
    })
  },
}
