/** One word for how a pod is. */
import type { PodView } from '../../node/api/native/schema.ts'

/** The pod's state; `restarting` while it waits between two runs and nothing of it runs. */
export const podState = ({ state, containers }: PodView): string =>
  state === 'running' && containers.length > 0 && containers.every(each => each.state !== 'running')
    ? 'restarting'
    : state
