/** Routes about access itself: who is asking, and who did what. */

import { pinOf } from '../../membership/token.ts'
import { json, jsonLines } from '../reply.ts'
import { flagOf } from '../request.ts'
import type { NativeRoute } from './access.ts'
import { auditLines } from './audit-lines.ts'
import { listOf, pictureOf } from './picture.ts'
import type { WhoamiView } from './schema-access.ts'
import type { NativeDeps } from './write.ts'

export const accessRoutes = (deps: NativeDeps): readonly NativeRoute[] => [
  {
    method: 'GET',
    path: '/whoami',
    handler: ({ caller }) => {
      const picture = pictureOf(deps)
      const { role, name, namespace, grants } = caller
      const { cluster } = picture.state
      const who: WhoamiView = {
        name,
        role,
        namespace,
        grants,
        cluster: cluster?.name ?? '',
        clusterId: cluster?.id ?? '',
        clusterKey: cluster === null ? '' : pinOf(cluster.publicKey),
      }
      return json(listOf(picture, [who]))
    },
  },
  {
    method: 'GET',
    path: '/audit',
    handler: request =>
      jsonLines(auditLines(deps.gateway, { follow: flagOf(request, 'follow'), signal: request.signal })),
  },
]
