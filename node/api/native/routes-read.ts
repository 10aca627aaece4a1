/** Reading routes: each answers a list of views of one picture of the cluster. */
import { Failure } from '../../errors.ts'
import type { Route } from '../dialect.ts'
import { nearest } from '../nearest.ts'
import { json } from '../reply.ts'
import { flagOf } from '../request.ts'
import { diagnose } from './doctor.ts'
import { findOut } from './doctor-findings.ts'
import { listOf, type Picture, pictureOf } from './picture.ts'
import type { ActorView, VersionView } from './schema.ts'
import { tokensView } from './view-access.ts'
import { digestView, membersView, nodesView, raftView, statusView } from './view-cluster.ts'
import { explainView } from './view-explain.ts'
import { podsView, workloadsView, workloadView } from './view-workloads.ts'
import type { NativeDeps } from './write.ts'

export const readRoutes = (deps: NativeDeps): readonly Route[] => {
  const list = (path: string, view: (picture: Picture) => readonly unknown[]): Route => ({
    method: 'GET',
    path,
    role: 'viewer',
    handler: () => {
      const picture = pictureOf(deps)
      return json(listOf(picture, view(picture)))
    },
  })
  return [
    list('/status', picture => [statusView(picture)]),
    list('/nodes', nodesView),
    list('/workloads', workloadsView),
    list('/members', membersView),
    list('/raft', picture => [raftView(picture)]),
    list('/digest', picture => [digestView(picture)]),
    list('/actors', () =>
      deps.actors().map(actor => ({ ...actor, node: deps.node.name }) satisfies ActorView),
    ),
    list('/version', () => [versionOf(deps)]),
    { ...list('/tokens', tokensView), role: 'admin' },
    {
      method: 'GET',
      path: '/pods',
      role: 'viewer',
      handler: request => {
        const picture = pictureOf(deps)
        const filter = { workload: request.query.workload ?? null, isAll: flagOf(request, 'all') }
        return json(listOf(picture, podsView(picture, filter)))
      },
    },
    {
      method: 'GET',
      path: '/workloads/:name',
      role: 'viewer',
      handler: (_request, { name = '' }) => {
        const picture = pictureOf(deps)
        const workload = picture.state.workloads.get(name)
        if (workload === undefined) throw unknownWorkload(name, picture.state.workloads.keys())
        return json(listOf(picture, [workloadView(picture.state, workload)]))
      },
    },
    {
      method: 'GET',
      path: '/explain/:target',
      role: 'viewer',
      handler: (_request, { target = '' }) => {
        const picture = pictureOf(deps)
        return json(listOf(picture, [explainView(picture.state, target, picture.nowMs)]))
      },
    },
    {
      method: 'GET',
      path: '/doctor',
      role: 'viewer',
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

const unknownWorkload = (name: string, names: Iterable<string>): Failure => {
  const guess = nearest(name, names)
  return new Failure(
    'E_NOT_FOUND',
    {
      message: `there is no workload ${name}`,
      try: guess === null ? 'tutti jobs' : `did you mean "${guess}"?`,
    },
    { facts: { workload: name, ...(guess === null ? {} : { guess }) } },
  )
}
