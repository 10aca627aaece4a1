/** Breaks links between hosts of a lab, in one direction or both: a host drops what comes from another. */
import { attempt, must } from '../../harness/run-command.ts'
import type { Host } from '../host.ts'

const inside = (host: Host, args: readonly string[]): readonly string[] => [
  `--net=/run/netns/${host.namespace}`,
  'iptables',
  '-w',
  ...args,
]

/** `to` hears nothing from `from` any more. */
export const deafen = (to: Host, from: Host): void =>
  void must('nsenter', inside(to, ['-A', 'INPUT', '-s', from.address, '-j', 'DROP']))

/** All hosts hear each other again. */
export const healLinks = (hosts: readonly Host[]): void => {
  for (const host of hosts) attempt('nsenter', inside(host, ['-F', 'INPUT']))
}
