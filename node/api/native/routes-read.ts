/** Reading routes: each answers a list of views of one picture of the cluster. */
import type { State } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import { isOwn, ownName } from '../access.ts'
import { nearestWorkload } from '../nearest-workload.ts'
import { json } from '../reply.ts'
import { type Caller, flagOf } from '../request.ts'
import type { NativeRoute } from './access.ts'
import { diagnose } from './doctor.ts'
import { findOut } from './doctor-findings.ts'
import { listOf, type Picture, pictureOf } from './picture.ts'
import type { ActorView, VersionView } from './schema.ts'
import { checkTarget } from './target.ts'
import { tokensView } from './view-access.ts'
import { digestView, membersView, nodesView, raftView, statusView } from './view-cluster.ts'
import { explainView } from './view-explain.ts'
import { podsView, workloadsView, workloadView } from './view-workloads.ts'
import type { NativeDeps } from './write.ts'

export const readRoutes = (deps: NativeDeps): readonly NativeRoute[] => {
  const list = (
    path: string,
    view: (picture: Picture, caller: Caller) => readonly unknown[],
  ): NativeRoute => ({
    method: 'GET',
    path,
    handler: ({ caller }) => {
      const picture = pictureOf(deps)
      return json(listOf(picture, view(picture, caller)))
    },
  })
  return [
    list('/status', picture => [statusView(picture)]),
    list('/nodes', nodesView),
    list('/workloads', (picture, caller) => workloadsView(picture).filter(({ name }) => isOwn(name, caller))),
    list('/members', membersView),
    list('/raft', picture => [raftView(picture)]),
    list('/digest', picture => [digestView(picture)]),
    list('/actors', () =>
      deps.actors().map(actor => ({ ...actor, node: deps.node.name }) satisfies ActorView),
    ),
    list('/version', () => [versionOf(deps)]),
    list('/tokens', tokensView),
    {
      method: 'GET',
      path: '/pods',
      handler: request => {
        const picture = pictureOf(deps)
        const { caller, query } = request
        const named = query.workload === undefined ? null : ownName(query.workload, caller, picture.state)
        const pods = podsView(picture, { workload: named, isAll: flagOf(request, 'all') })
        return json(
          listOf(
            picture,
            pods.filter(({ workload }) => isOwn(workload, caller)),
          ),
        )
      },
    },
    {
      method: 'GET',
      path: '/workloads/:name',
      handler: (_request, { name = '' }) => {
        const picture = pictureOf(deps)
        const workload = picture.state.workloads.get(name)
        if (workload === undefined) throw unknownWorkload(name, picture.state)
        return json(listOf(picture, [workloadView(picture.state, workload)]))
      },
    },
    {
      method: 'GET',
      path: '/explain/:target',
      handler: ({ caller }, { target = '' }) => {
        const picture = pictureOf(deps)
        checkTarget(picture.state, target, caller)
        return json(listOf(picture, [explainView(picture.state, target, picture.nowMs)]))
      },
    },
    {
      method: 'GET',
      path: '/doctor',
      handler: async request => {
        const picture = pictureOf(deps)
        return json(listOf(picture, diagnose(await findOut(deps, picture, request.signal))))
      },
    },
  ]
}

const versionOf = ({ node }: NativeDeps): VersionView => ({
  node: node.name,
  version: node.version,
  runtime: node.runtime,
})

const unknownWorkload = (name: string, state: State): Failure => {
  const guess = nearestWorkload(name, state)
  return new Failure(
    'E_NOT_FOUND',
    {
      message: `there is no workload ${name}`,
      try: guess === null ? 'tutti jobs' : `did you mean "${guess}"?`,
    },
    { facts: { workload: name, ...(guess === null ? {} : { guess }) } },
  )
}
