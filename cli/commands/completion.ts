/** `tutti completion`: the script that teaches an outer shell to ask `tutti complete`. */
import type { Command } from '../command.ts'
import { BASH_SCRIPT } from '../shell/bash.ts'
import { usage } from '../usage.ts'

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const

export const command: Command = {
  arguments: [{ name: 'shell', description: SHELLS.join(', '), count: 'one', choices: SHELLS }],
  options: [],
  examples: [
    'source <(tutti completion bash)',
    'tutti completion zsh > ~/.zfunc/_tutti',
    'tutti completion fish > ~/.config/fish/completions/tutti.fish',
  ],
  async run({ args: [shell = ''] }, session) {
    if (!SHELLS.some(each => each === shell)) {
      throw usage(`there is no completion for ${shell}`, { try: 'tutti completion bash' })
    }
    if (shell === 'bash') {
      await session.terminal.write(BASH_SCRIPT)
      return 0
    }
    const { script } = await import('@bomb.sh/tab')
    // Prints to stdout by itself.
    script(shell, 'tutti', 'tutti')
    return 0
  },
}
