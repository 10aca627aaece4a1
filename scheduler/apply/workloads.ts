/** Commands about what users ask for. None of them starts or stops a pod but Remove: plans do. */
import { isSame } from '../canonical.ts'
import type { Command, Refusal } from '../commands.ts'
import { isEnded } from '../lifecycle.ts'
import type { Workload, WorkloadSpec } from '../model/workload.ts'
import { forgetWorkload, hasLivePod, podsOfWorkload, type Tables, updatePod } from '../tables.ts'
import { COUNT_MAX, sameTemplate, validateSpec } from '../validate.ts'
import { refuse, type Step, tell, type Verdict } from './step.ts'

type Apply = Extract<Command, { type: 'workload/Apply' }>
type Scale = Extract<Command, { type: 'workload/Scale' }>
type Named = Extract<Command, { type: 'workload/Stop' | 'workload/Restart' | 'workload/Remove' }>

const notFound = (name: string): Refusal =>
  refuse('E_NOT_FOUND', `there is no workload ${name}`, { workload: name })

/** Creates, or changes and, when stopped, starts. An equal spec of a running workload changes nothing. */
export const applyWorkload = (tables: Tables, { spec, checkIndex }: Apply, step: Step): Verdict => {
  const before = tables.workloads.get(spec.name)
  const conflict = checkIndex === null ? null : judgeIndex(spec.name, before, checkIndex)
  if (conflict) return conflict
  const problem = validateSpec(spec)[0]
  if (problem) return refuse('E_INVALID', `${problem.path}: ${problem.message}`, { path: problem.path })
  if (!before) return createWorkload(tables, spec, step)
  if (before.spec.kind !== spec.kind)
    return refuse(
      'E_INVALID',
      `${spec.name} is a ${before.spec.kind} workload and cannot become ${spec.kind}: remove it first`,
      {
        workload: spec.name,
        path: 'kind',
      },
    )
  if (isSame(before.spec, spec) && !before.stopped) return null
  const isReplaced = !sameTemplate(before.spec.pod, spec.pod)
  const next = isReplaced ? nextGeneration(tables, before) : before
  put(tables, { ...next, spec, stopped: false }, step)
  tell(step, `workload/${spec.name}`, 'changed', isReplaced ? 'its pods are replaced' : 'its pods run on')
  return null
}

const judgeIndex = (name: string, before: Workload | undefined, checkIndex: number): Refusal | null => {
  if (!before && checkIndex === 0) return null
  if (before && checkIndex > 0 && before.modifiedIndex <= checkIndex) return null
  const message = before
    ? checkIndex === 0
      ? `workload ${name} exists already`
      : `workload ${name} was changed by somebody else meanwhile`
    : `workload ${name} was removed meanwhile`
  return refuse('E_CONFLICT', message, {
    workload: name,
    checkIndex,
    modifiedIndex: before?.modifiedIndex ?? 0,
  })
}

/** Pods of an earlier workload of that name may still be stopping: the new generation is above all of theirs. */
const createWorkload = (tables: Tables, spec: WorkloadSpec, step: Step): Verdict => {
  const earlier = podsOfWorkload(tables, spec.name).map(pod => pod.generation)
  const generation = earlier.reduce((highest, next) => Math.max(highest, next), 0) + 1
  tables.workloads.set(spec.name, {
    spec,
    generation,
    past: [],
    stopped: false,
    pending: [],
    createdIndex: step.index,
    modifiedIndex: step.index,
  })
  const wish = spec.kind === 'global' ? 'one pod per matching node' : `${spec.count} wanted`
  tell(step, `workload/${spec.name}`, 'created', `${spec.kind}, ${wish}`)
  return null
}

/** The template that it ends stays known for as long as a pod runs by it. */
const nextGeneration = (tables: Tables, workload: Workload): Workload => {
  const { spec, generation, past } = workload
  const isInUse = hasLivePod(tables, spec.name, generation)
  const ended = { generation, pod: spec.pod, restart: spec.restart }
  return { ...workload, generation: generation + 1, past: isInUse ? [...past, ended] : past }
}

const put = (tables: Tables, workload: Workload, step: Step): void => {
  tables.workloads.set(workload.spec.name, { ...workload, modifiedIndex: step.index })
}

export const scaleWorkload = (tables: Tables, { name, count }: Scale, step: Step): Verdict => {
  const workload = tables.workloads.get(name)
  if (!workload) return notFound(name)
  if (workload.spec.kind === 'global')
    return refuse('E_INVALID', `${name} runs one pod per matching node and has no count`, { workload: name })
  if (!Number.isInteger(count) || count < 0 || count > COUNT_MAX)
    return refuse('E_INVALID', `a count is a whole number from 0 to ${COUNT_MAX}`, { workload: name, count })
  if (workload.spec.count === count) return null
  put(tables, { ...workload, spec: { ...workload.spec, count } }, step)
  tell(step, `workload/${name}`, 'scaled', `from ${workload.spec.count} to ${count}`)
  return null
}

export const stopWorkload = (tables: Tables, { name }: Named, step: Step): Verdict => {
  const workload = tables.workloads.get(name)
  if (!workload) return notFound(name)
  if (workload.stopped) return null
  put(tables, { ...workload, stopped: true }, step)
  tell(step, `workload/${name}`, 'stopped')
  return null
}

/**
 * Always a new generation: a running workload is replaced pod by pod, a stopped one starts, and slots that were done
 * (a finished batch, an exit that the policy does not restart) or in back-off run again.
 */
export const restartWorkload = (tables: Tables, { name }: Named, step: Step): Verdict => {
  const workload = tables.workloads.get(name)
  if (!workload) return notFound(name)
  put(tables, { ...nextGeneration(tables, workload), stopped: false }, step)
  tell(step, `workload/${name}`, workload.stopped ? 'started' : 'restarted')
  return null
}

/** The one command that stops pods itself: once the row is gone, nothing says any more whose they are. */
export const removeWorkload = (tables: Tables, { name }: Named, step: Step): Verdict => {
  if (!tables.workloads.delete(name)) return notFound(name)
  forgetWorkload(tables, name)
  for (const pod of podsOfWorkload(tables, name)) {
    if (isEnded(pod.state) || pod.desired === 'stopped') continue
    updatePod(tables, {
      ...pod,
      desired: 'stopped',
      reason: `workload ${name} was removed`,
      modifiedIndex: step.index,
    })
  }
  tell(step, `workload/${name}`, 'removed')
  return null
}
