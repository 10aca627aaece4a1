/** `tutti ps`: pods, where they run and how they are. */
import type { PodView } from '../../node/api/native/schema.ts'
import type { PodPort } from '../../scheduler/index.ts'
import type { Command } from '../command.ts'
import { showList, WATCH_OPTION } from '../list.ts'
import { escapeLine } from '../output/escape.ts'
import { podState } from '../output/pod-state.ts'
import type { Column } from '../output/table.ts'
import { age } from '../output/time.ts'
import { checkTargets, isMeant } from '../target.ts'

const portText = (address: string | null, port: PodPort): string => {
  const inner = port.container === 0 ? '' : `->${port.container}`
  return `${address ?? '*'}:${port.host}${inner}${port.protocol === 'udp' ? '/udp' : ''}`
}

const columns: readonly Column<PodView>[] = [
  { title: 'NAME', cell: pod => pod.name },
  { title: 'NODE', cell: pod => pod.node },
  { title: 'STATE', cell: podState, as: 'state' },
  {
    title: 'HEALTH',
    cell: pod => (pod.health === 'none' || pod.health === 'unknown' ? null : pod.health),
    as: 'state',
  },
  { title: 'RESTARTS', cell: pod => pod.restarts },
  { title: 'AGE', cell: pod => age(pod.ageMs) },
  { title: 'PORTS', cell: pod => pod.ports.map(port => portText(pod.address, port)).join(', ') },
  { title: 'ID', cell: pod => pod.id, isWide: true },
  { title: 'GEN', cell: pod => pod.generation, isWide: true },
  {
    title: 'IMAGE',
    cell: pod => pod.containers.flatMap(each => each.image ?? []).join(', '),
    isWide: true,
  },
  { title: 'REASON', cell: pod => pod.reason ?? '', as: 'text' },
]

export const command: Command = {
  arguments: [
    { name: 'target', description: 'web, web.2, web@ash or node/ash', count: 'any', completes: 'target' },
  ],
  options: [
    { flags: '-a, --all', description: 'also pods that ended and are still remembered' },
    WATCH_OPTION,
  ],
  examples: ['tutti ps', 'tutti ps web@ash -o json', 'tutti ps -w web'],
  isEndless: flags => flags.is('watch'),
  run(call, session) {
    const { args, flags } = call
    const isShown = (pod: PodView): boolean => args.length === 0 || args.some(target => isMeant(pod, target))
    return showList(
      {
        columns,
        name: pod => pod.name,
        empty:
          args.length === 0
            ? 'no pods. Start some: tutti run --name web --count 3 IMAGE'
            : `no pods of ${args.map(escapeLine).join(', ')}`,
        check: pods => checkTargets(args, pods, session),
        fetch: async () => (await session.client.pods({ all: flags.is('all') })).filter(isShown),
      },
      call,
      session,
    )
  },
}
