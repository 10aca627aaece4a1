/** `tutti jobs`: workloads, what they ask for and what there is. */
import type { WorkloadView } from '../../node/api/native/schema.ts'
import type { Command } from '../command.ts'
import { showList, WATCH_OPTION } from '../list.ts'
import type { Column } from '../output/table.ts'
import { checkNames } from '../target.ts'

/** One word for how a workload is. */
const stateOf = (workload: WorkloadView): string => {
  if (workload.stopped) return 'stopped'
  if (workload.pending.length > 0) return 'pending'
  if (workload.isConverged) {
    const isDone = workload.kind === 'batch' && workload.wanted > 0 && workload.running === 0
    return isDone ? 'succeeded' : 'converged'
  }
  const isOver = workload.failed > 0 && workload.failed + workload.healthy >= workload.wanted
  return isOver ? 'failed' : 'converging'
}

const columns: readonly Column<WorkloadView>[] = [
  { title: 'NAME', cell: workload => workload.name },
  { title: 'KIND', cell: workload => workload.kind },
  { title: 'STATE', cell: stateOf, as: 'state' },
  { title: 'HEALTHY', cell: workload => `${workload.healthy}/${workload.wanted}` },
  { title: 'RUNNING', cell: workload => workload.running },
  { title: 'GEN', cell: workload => workload.generation, isWide: true },
  { title: 'INDEX', cell: workload => workload.modifiedIndex, isWide: true },
  {
    title: 'RUNS',
    cell: ({ spec }) => spec.pod.containers.map(each => each.image ?? each.command.join(' ')).join(', '),
    as: 'text',
  },
  {
    title: 'PENDING',
    cell: workload =>
      workload.pending.map(slot => `${workload.name}.${slot.slot}: ${slot.reason}`).join('; '),
    isWide: true,
  },
]

export const command: Command = {
  arguments: [{ name: 'workload', description: 'only these', count: 'any', completes: 'workload' }],
  options: [WATCH_OPTION],
  examples: ['tutti jobs', 'tutti jobs web -o yaml'],
  isEndless: flags => flags.is('watch'),
  run: (call, session) =>
    showList(
      {
        columns,
        name: workload => workload.name,
        empty: 'no workloads. Start one: tutti run --name web --count 3 IMAGE',
        check: workloads => checkNames(call.args, workloads, 'workload'),
        fetch: async () =>
          (await session.client.workloads()).filter(
            workload => call.args.length === 0 || call.args.includes(workload.name),
          ),
      },
      call,
      session,
    ),
}
