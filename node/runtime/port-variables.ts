/** How a container learns its ports: PORT is the first one, PORT_<NAME> each. Pure. */
import type { PodPort } from '../../scheduler/index.ts'

/** `portOf` says which of its numbers the container itself must listen on. */
export const portVariables = (
  ports: readonly PodPort[],
  portOf: (port: PodPort) => number,
): Record<string, string> => {
  const variables: Record<string, string> = {}
  for (const port of ports) {
    const name = port.name.toUpperCase().replace(/[^A-Z0-9]/g, '_')
    variables[`PORT_${name}`] = String(portOf(port))
  }
  const first = ports[0]
  if (first !== undefined) variables.PORT = String(portOf(first))
  return variables
}
