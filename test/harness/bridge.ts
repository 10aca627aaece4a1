/**
 * A network of this machine alone: a bridge, fenced so that nothing leaves it, and network namespaces on cables. Needs
 * root on Linux. What a former process left under the same name is removed first.
 */
import { installPackages } from './install/packages.ts'
import { attempt, must } from './run-command.ts'

const INSIDE = 'eth0'

/** One namespace on the bridge. Its inner end is called `eth0`. */
export type Cable = {
  readonly namespace: string
  /** The outer end. */
  readonly link: string
}

export class Bridge {
  readonly name: string
  /** The first three parts of its addresses; the bridge itself has the last of them. */
  readonly network: string
  readonly #cables: Cable[] = []

  private constructor(name: string, network: string) {
    this.name = name
    this.network = network
  }

  static open(name: string, network: string): Bridge {
    if (process.getuid?.() !== 0) throw new Error('network namespaces need root')
    installPackages(['ip', 'iptables', 'nsenter'], ['iproute2', 'iptables', 'util-linux'])
    const bridge = new Bridge(name, network)
    bridge.#remove()
    must('ip', ['link', 'add', name, 'type', 'bridge'])
    must('ip', ['addr', 'add', `${network}.254/24`, 'dev', name])
    must('ip', ['link', 'set', name, 'up'])
    must('iptables', ['-w', '-I', 'FORWARD', '1', '-i', name, '-o', name, '-j', 'ACCEPT'])
    must('iptables', ['-w', '-I', 'FORWARD', '1', '-i', name, '!', '-o', name, '-j', 'REJECT'])
    return bridge
  }

  /** Makes the namespace, with a cable and no address yet. */
  connect(cable: Cable): void {
    const { namespace, link } = cable
    attempt('ip', ['netns', 'del', namespace])
    must('ip', ['netns', 'add', namespace])
    this.#cables.push(cable)
    must('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', INSIDE, 'netns', namespace])
    must('ip', ['link', 'set', link, 'master', this.name, 'up'])
    must('ip', ['-n', namespace, 'link', 'set', INSIDE, 'up'])
    must('ip', ['-n', namespace, 'link', 'set', 'lo', 'up'])
  }

  /** Idempotent and synchronous, so that it also works while the process ends. Processes are to be ended before. */
  close(): void {
    for (const { namespace } of this.#cables) attempt('ip', ['netns', 'del', namespace])
    for (const { link } of this.#cables.splice(0)) attempt('ip', ['link', 'del', link])
    this.#remove()
  }

  #remove(): void {
    attempt('iptables', ['-w', '-D', 'FORWARD', '-i', this.name, '-o', this.name, '-j', 'ACCEPT'])
    attempt('iptables', ['-w', '-D', 'FORWARD', '-i', this.name, '!', '-o', this.name, '-j', 'REJECT'])
    attempt('ip', ['link', 'del', this.name])
  }
}

/** Takes a cable out of the bridge or puts it back: neither end is told by a packet. */
export const plug = ({ link }: Cable, isIn: boolean): void => {
  must('ip', ['link', 'set', link, isIn ? 'up' : 'down'])
}

/** Replaces the address of the inner end, as a DHCP server would. */
export const setAddress = ({ namespace }: Cable, address: string): void => {
  const gateway = `${address.replace(/\.\d+$/, '')}.254`
  must('ip', ['-n', namespace, 'addr', 'flush', 'dev', INSIDE])
  must('ip', ['-n', namespace, 'addr', 'add', `${address}/24`, 'brd', '+', 'dev', INSIDE])
  must('ip', ['-n', namespace, 'route', 'replace', 'default', 'via', gateway])
}
