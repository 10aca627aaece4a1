/** What an engine that a test makes up says of the one container that it has. */

export const OWNER = { cluster: 'c', node: 'n' }

export const LABELS = {
  'tutti.cluster': OWNER.cluster,
  'tutti.node': OWNER.node,
  'tutti.pod': 'p1',
  'tutti.pod-name': 'web.1',
  'tutti.container': 'main',
}
