/** The table of verbs in help order. Reading it loads none of them. */
import type { Verb } from './command.ts'

export const VERBS: readonly Verb[] = [
  {
    name: 'run',
    group: 'workloads',
    summary: 'run an image or a command, many times over',
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'apply',
    group: 'workloads',
    summary: 'create or change workloads from a file',
    load: () => import('./commands/apply.ts'),
  },
  {
    name: 'ps',
    group: 'workloads',
    summary: 'list pods: where they run and how they are',
    load: () => import('./commands/ps.ts'),
  },
  { name: 'jobs', group: 'workloads', summary: 'list workloads', load: () => import('./commands/jobs.ts') },
  {
    name: 'scale',
    group: 'workloads',
    summary: 'change how many pods are wanted',
    load: () => import('./commands/scale.ts'),
  },
  {
    name: 'logs',
    group: 'workloads',
    summary: 'show what pods print, merged',
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'stop',
    group: 'workloads',
    summary: 'stop workloads and keep their definition',
    load: () => import('./commands/stop.ts'),
  },
  {
    name: 'restart',
    group: 'workloads',
    summary: 'start stopped workloads, or replace all pods one by one',
    load: () => import('./commands/restart.ts'),
  },
  {
    name: 'rm',
    group: 'workloads',
    summary: 'remove workloads, or a dead node',
    load: () => import('./commands/rm.ts'),
  },
  {
    name: 'explain',
    group: 'workloads',
    summary: 'why a pod is where it is, or what an error code means',
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'demo',
    group: 'cluster',
    summary: 'three nodes and a sample workload on this machine',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'start',
    group: 'cluster',
    summary: 'run a node: a new cluster, or one that joins',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'status',
    group: 'cluster',
    summary: 'the cluster at a glance',
    load: () => import('./commands/status.ts'),
  },
  { name: 'nodes', group: 'cluster', summary: 'list nodes', load: () => import('./commands/nodes.ts') },
  {
    name: 'drain',
    group: 'cluster',
    summary: 'move the work away from nodes',
    load: () => import('./commands/drain.ts'),
  },
  {
    name: 'activate',
    group: 'cluster',
    summary: 'let drained nodes take work again',
    load: () => import('./commands/activate.ts'),
  },
  {
    name: 'voters',
    group: 'cluster',
    summary: 'how many nodes vote at most: 3, 5 or 7',
    load: () => import('./commands/policy/voters.ts'),
  },
  {
    name: 'zone-loss',
    group: 'cluster',
    summary: 'how long the work of a lost zone waits for it',
    load: () => import('./commands/policy/zone-loss.ts'),
  },
  {
    name: 'leave',
    group: 'cluster',
    summary: 'move the work away and take this node out of the cluster',
    load: () => import('./commands/leave.ts'),
  },
  {
    name: 'node rm',
    group: 'cluster',
    summary: 'remove a dead node from the cluster',
    load: () => import('./commands/node-rm.ts'),
  },
  {
    name: 'events',
    group: 'cluster',
    summary: 'what happened, and what happens',
    load: () => import('./commands/events.ts'),
  },
  {
    name: 'raft',
    group: 'cluster',
    summary: 'the state of agreement: term, log, followers',
    load: () => import('./commands/raft.ts'),
  },
  {
    name: 'members',
    group: 'cluster',
    summary: 'what gossip believes about the nodes',
    load: () => import('./commands/members.ts'),
  },
  {
    name: 'actors',
    group: 'cluster',
    summary: 'the live actors of a node',
    load: () => import('./commands/actors.ts'),
  },
  {
    name: 'doctor',
    group: 'cluster',
    summary: 'look for what is wrong',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'recover',
    group: 'cluster',
    summary: 'found the cluster anew after its quorum is lost for ever',
    load: () => import('./commands/recovery/recover.ts'),
  },
  {
    name: 'repair',
    group: 'cluster',
    summary: 'give a stopped node with a damaged log the state anew',
    load: () => import('./commands/recovery/repair.ts'),
  },
  {
    name: 'backup',
    group: 'cluster',
    summary: 'write the state of the cluster to a file',
    load: () => import('./commands/recovery/backup.ts'),
  },
  {
    name: 'restore',
    group: 'cluster',
    summary: 'make a node of a backup, or prove that it could be done',
    load: () => import('./commands/recovery/restore.ts'),
  },
  {
    name: 'login',
    group: 'access',
    summary: 'prove that a node belongs to the cluster of a token, and keep both',
    load: () => import('./commands/access/login.ts'),
  },
  {
    name: 'context ls',
    group: 'access',
    summary: 'list the clusters that were logged in to',
    load: () => import('./commands/access/context-ls.ts'),
  },
  {
    name: 'context use',
    group: 'access',
    summary: 'choose the cluster that is meant from now on',
    load: () => import('./commands/access/context-use.ts'),
  },
  {
    name: 'context rm',
    group: 'access',
    summary: 'forget clusters and the tokens for them',
    load: () => import('./commands/access/context-rm.ts'),
  },
  {
    name: 'audit',
    group: 'access',
    summary: 'who did what, and what strangers tried',
    load: () => import('./commands/access/audit.ts'),
  },
  {
    name: 'token create',
    group: 'access',
    summary: 'make a token that admits a node or opens the API',
    load: () => import('./commands/access/token-create.ts'),
  },
  {
    name: 'token ls',
    group: 'access',
    summary: 'list tokens',
    load: () => import('./commands/access/token-ls.ts'),
  },
  {
    name: 'token revoke',
    group: 'access',
    summary: 'make tokens worthless',
    load: () => import('./commands/access/token-revoke.ts'),
  },
  {
    name: 'shell',
    group: 'access',
    summary: 'an interactive shell with completion',
    load: () => import('./commands/shell.ts'),
  },
  {
    name: 'completion',
    group: 'access',
    summary: 'print the completion script for bash, zsh, fish or powershell',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'version',
    group: 'access',
    summary: 'the versions of this program and of the node',
    load: () => import('./commands/version.ts'),
  },
]

/** First words of verbs of two words. */
export const NOUNS: ReadonlySet<string> = new Set(
  VERBS.flatMap(verb => (verb.name.includes(' ') ? [verb.name.slice(0, verb.name.indexOf(' '))] : [])),
)

export const verbNamed = (name: string): Verb | undefined => VERBS.find(verb => verb.name === name)
