/** A node's transport in a process of its own, to be killed. Reads its key and its peer from the environment. */
import { systemClock } from '../../node/clock.ts'
import { silentLog } from '../../node/log.ts'
import { createLibp2pTransport } from '../../node/transport/libp2p.ts'

const { CHILD_KEY = '', CHILD_PEER = '', CHILD_PEER_ADDRESS = '' } = process.env

const transport = await createLibp2pTransport({
  privateKey: Buffer.from(CHILD_KEY, 'hex'),
  listen: '127.0.0.1:0',
  clock: systemClock(),
  log: silentLog,
})
await transport.start()
transport.setAddresses(CHILD_PEER, [CHILD_PEER_ADDRESS])
transport.admit(new Set([transport.self, CHILD_PEER]))
process.send?.(transport.addresses()[0])
