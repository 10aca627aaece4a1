/** What each route of the native API takes: the one table of roles and routes. A route without a row does not start. */
import type { Access } from '../access.ts'
import type { Route } from '../dialect.ts'

/** Its access is in the table below, its path below the prefix of the API. */
export type NativeRoute = Omit<Route, 'access'>

const viewer = { role: 'viewer', scope: 'namespace' } as const
const operator = { role: 'operator', scope: 'namespace' } as const
const clusterViewer = { role: 'viewer', scope: 'cluster' } as const
const clusterOperator = { role: 'operator', scope: 'cluster' } as const
const admin = { role: 'admin', scope: 'cluster' } as const

export const ACCESS = {
  'GET /whoami': { role: 'viewer', scope: 'any' },
  'GET /version': { role: 'viewer', scope: 'any' },

  'GET /workloads': viewer,
  'GET /workloads/:name': viewer,
  'GET /pods': viewer,
  'GET /explain/:target': viewer,
  'GET /events': viewer,
  'GET /logs/:target': viewer,
  'POST /workloads': operator,
  'POST /workloads/:name/scale': operator,
  'POST /workloads/:name/stop': operator,
  'POST /workloads/:name/restart': operator,
  'DELETE /workloads/:name': operator,

  'GET /status': clusterViewer,
  'GET /nodes': clusterViewer,
  'GET /members': clusterViewer,
  'GET /raft': clusterViewer,
  'GET /digest': clusterViewer,
  'GET /actors': clusterViewer,
  'GET /doctor': clusterViewer,
  'GET /recovery': clusterViewer,
  'POST /nodes/:name/drain': clusterOperator,
  'POST /nodes/:name/activate': clusterOperator,

  'DELETE /nodes/:name': admin,
  'POST /leave': admin,
  'POST /voters': admin,
  'POST /zone-loss': admin,
  'POST /transfer': admin,
  'GET /tokens': admin,
  'POST /tokens': admin,
  'DELETE /tokens/:id': admin,
  'GET /audit': admin,
  // It holds the cluster's key.
  'GET /backup': { ...admin, grant: 'secrets' },
  // Further checks of their own: only the local admin, only a member itself.
  'POST /recovery': admin,
  'POST /readmission': admin,
} as const satisfies Readonly<Record<string, Access>>

/** Throws for a route that the table does not know: what it takes is to be decided, not defaulted. */
export const accessTo = ({ method, path }: NativeRoute): Access => {
  const access = (ACCESS as Readonly<Record<string, Access>>)[`${method} ${path}`]
  if (access !== undefined) return access
  throw new Error(`${method} ${path} has no row in the table of access`)
}
