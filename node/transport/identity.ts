/** A node's identity: an Ed25519 key made once and kept in its data directory. The peer id follows from it. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from '../durable-file.ts'
import { Failure, messageOf } from '../errors.ts'
import type { PeerId } from './transport.ts'

export type Identity = {
  readonly peerId: PeerId
  /** libp2p's protobuf form of the private key. Never logged, never sent. */
  readonly privateKey: Uint8Array
}

const FILE = 'identity.key'

const identityOf = async (privateKey: Uint8Array): Promise<Identity> => {
  const [{ privateKeyFromProtobuf }, { peerIdFromPrivateKey }] = await Promise.all([
    import('@libp2p/crypto/keys'),
    import('@libp2p/peer-id'),
  ])
  const key = privateKeyFromProtobuf(privateKey)
  // Its two halves are stored side by side: one changed bit, and the node would go by a name that it cannot prove.
  const said = Buffer.from('who I am')
  if (!(await key.publicKey.verify(said, await key.sign(said))))
    throw new Error('its private half does not belong to its public half')
  return { peerId: peerIdFromPrivateKey(key).toString(), privateKey }
}

export const generateIdentity = async (): Promise<Identity> => {
  const { generateKeyPair, privateKeyToProtobuf } = await import('@libp2p/crypto/keys')
  return identityOf(privateKeyToProtobuf(await generateKeyPair('Ed25519')))
}

const isMissing = (thrown: unknown): boolean => (thrown as NodeJS.ErrnoException).code === 'ENOENT'

/**
 * The identity of this data directory, made on the first start and durable before it is returned. E_DISK_DAMAGED for
 * a key that cannot be read: a new one would be another node, so that is for a person to decide.
 */
export const loadIdentity = async (dataDirectory: string): Promise<Identity> => {
  const path = join(dataDirectory, FILE)
  const saved = await readFile(path).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw new Failure(
      'E_DISK_FAILED',
      { message: `the node's key ${path} cannot be read`, why: messageOf(error) },
      { cause: error },
    )
  })
  if (saved === null) {
    const identity = await generateIdentity()
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    await writeDurably(dataDirectory, FILE, identity.privateKey)
    return identity
  }
  return identityOf(saved).catch((cause: unknown) => {
    throw new Failure(
      'E_DISK_DAMAGED',
      {
        message: `the node's key ${path} is damaged`,
        why: 'without it this node cannot prove who it is',
        try: `restore the file from a backup, or move ${dataDirectory} away and join as a new node`,
      },
      { cause },
    )
  })
}
