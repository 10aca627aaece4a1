/** The native API: the first dialect, and the one that the command line speaks. schema.ts lists its routes. */
import type { Dialect } from '../dialect.ts'
import { accessTo } from './access.ts'
import { createReadLogs } from './logs.ts'
import { recoveryRoutes } from './recovery/routes.ts'
import { accessRoutes } from './routes-access.ts'
import { nodeRoutes } from './routes-nodes.ts'
import { readRoutes } from './routes-read.ts'
import { streamRoutes } from './routes-streams.ts'
import { tokenRoutes } from './routes-tokens.ts'
import { workloadRoutes } from './routes-workloads.ts'
import type { NativeDeps } from './write.ts'

export const PREFIX = '/tutti/v1'

export const nativeDialect = (deps: NativeDeps): Dialect => ({
  name: 'native',
  mount(routes) {
    const { gateway, peers, localLogs, clock } = deps
    const readLogs = createReadLogs({ gateway, peers, localLogs, selfId: deps.node.id, clock })
    const all = [
      ...readRoutes(deps),
      ...streamRoutes(deps, readLogs),
      ...workloadRoutes(deps),
      ...nodeRoutes(deps),
      ...tokenRoutes(deps),
      ...recoveryRoutes(deps),
      ...accessRoutes(deps),
    ]
    for (const route of all) routes.add({ ...route, access: accessTo(route), path: `${PREFIX}${route.path}` })
  },
})
