/** Taking a node off the roster for good, with a question first when that may cost more than the node. */
import type { WriteResult } from '../node/api/native/schema.ts'
import type { Call, Session } from './command.ts'
import { confirm } from './confirm.ts'
import { nodeName } from './target.ts'

export const removeNode = async (target: string, call: Call, session: Session): Promise<WriteResult> => {
  const name = nodeName(target)
  const [status, nodes] = await Promise.all([session.client.status(), session.client.nodes()])
  const node = nodes.find(each => each.name === name)
  const isAlive = node !== undefined && (node.state === 'alive' || node.state === 'suspect')
  const isNeeded = status.voters.includes(name) && status.toleratesCount === 0
  if (isAlive || isNeeded) {
    const text = isAlive
      ? `${name} is alive; removing it cuts it off at once, and its identity never comes back (tutti leave on it is gentler)`
      : `${name} is a voter and the cluster tolerates no further failure`
    await confirm({ name, text }, call, session)
  }
  return session.client.removeNode(name)
}
