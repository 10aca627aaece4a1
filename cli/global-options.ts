/** Flags that every verb takes. */
import type { OptionSpec } from './command.ts'
import { FORMATS } from './output/format.ts'

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { flags: '-o, --output <format>', description: 'how to print lists', choices: FORMATS },
  { flags: '-q, --quiet', description: 'names only' },
  { flags: '--connect <address>', description: 'the node to talk to: unix:PATH or http(s)://HOST:PORT' },
  { flags: '--context <name>', description: 'the cluster to talk to, of those logged in to' },
  {
    flags: '--consistency <how>',
    description: 'how fresh: local (at once, with its age), linear, bounded:500ms (at most that old)',
  },
  { flags: '--timeout <duration>', description: 'give up after this time' },
  { flags: '--no-color', description: 'no colours' },
  { flags: '--ascii', description: 'no glyphs beyond ASCII' },
  { flags: '--debug', description: 'show where an error comes from' },
]
