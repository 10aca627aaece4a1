/** Debian's Serf with its defaults. Its log tells of a member before its event handlers hear of it, which wait to gather more. */
import { spawnSync } from 'node:child_process'
import { installPackages } from '../../harness/install/packages.ts'
import type { Agent, Launch } from './agent.ts'
import type { News, Program } from './program.ts'

const PORT = 7946
const VIEWS = { Join: 'alive', Failed: 'dead', Leave: 'dead' } as const
const EVENT = /serf: EventMember(Join|Failed|Leave): (\S+)/

/** Installs it where it is missing. */
export const serfProgram = (): Program => {
  installPackages(['serf'], ['serf'])
  const version = spawnSync('dpkg-query', ['-W', 'serf'], { encoding: 'utf8' }).stdout.trim().split('\t')[1]
  return {
    name: `Serf ${version}, as \`serf agent\` starts it`,
    joinersMax: 10,
    found: agent => launch(agent, []),
    join: async (agent, seed) => launch(agent, [`-join=${seed.address}`]),
    resume: (agent, seed) => launch(agent, [`-join=${seed.address}`]),
    news: newsOf,
    decree: null,
  }
}

const launch = (agent: Agent, more: readonly string[]): Launch => ({
  words: ['serf', 'agent', `-node=${agent.name}`, `-bind=${agent.address}:${PORT}`, ...more],
})

export const newsOf = (line: string): News | null => {
  const event = EVENT.exec(line)
  return event === null
    ? null
    : { type: 'view', about: event[2] ?? '', state: VIEWS[event[1] as keyof typeof VIEWS] }
}
