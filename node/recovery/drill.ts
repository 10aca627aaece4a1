/**
 * Proves that a backup restores: checks every byte, lays it down in a temporary directory as a restore would, lets a node's
 * agreement start on it, and compares the state that it then answers with. There is no network and no runtime: nothing
 * is placed, no container starts, and nothing of it is left.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf } from '../../scheduler/index.ts'
import { createActorSystem } from '../actor/system.ts'
import type { Clock } from '../clock.ts'
import { createConsensus } from '../consensus/create.ts'
import { openSnapshots } from '../consensus/snapshots.ts'
import { openSqliteLog } from '../consensus/sqlite-log.ts'
import { Failure } from '../errors.ts'
import type { Log } from '../log.ts'
import { memoryNetwork } from '../transport/memory.ts'
import type { BackupHeader } from './backup-file.ts'
import { decodeBackup } from './backup-file.ts'
import { layDownLog } from './restore.ts'

export type Drilled = {
  readonly header: BackupHeader
  readonly nodes: readonly string[]
  readonly workloads: readonly string[]
  readonly podCount: number
  readonly tokenCount: number
}

const NODE_ID = 'drill'
const READY_WITHIN_MS = 20_000

/** Throws E_DISK_DAMAGED or E_INVALID for what is wrong with the file; whatever a restore would throw otherwise. */
export const drill = async (
  path: string,
  file: Buffer,
  edges: { readonly clock: Clock; readonly random: () => number; readonly log: Log },
): Promise<Drilled> => {
  const backup = decodeBackup(path, file)
  const directory = await mkdtemp(join(tmpdir(), 'tutti-drill-'))
  try {
    await layDownLog({
      directory,
      nodeId: NODE_ID,
      backup,
      admission: null,
      nowMs: edges.clock.wallMs(),
      log: edges.log,
    })
    const digest = await digestOfStarted(directory, backup.header, edges)
    if (digest !== backup.header.digest)
      throw new Failure('E_DISK_DAMAGED', {
        message: `a node restored from ${path} has another state than the one that was backed up`,
        why: `its digest is ${digest}, and should be ${backup.header.digest}`,
        try: 'take another backup: tutti backup FILE',
      })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  const { nodes, workloads, pods, tokens } = backup.restored
  return {
    header: backup.header,
    nodes: [...nodes.values()].filter(node => node.state !== 'left').map(node => node.name),
    workloads: [...workloads.keys()],
    podCount: pods.size,
    tokenCount: tokens.size,
  }
}

/** Of the state as the started node answers a linearizable read with, at the place where the backup was taken. */
const digestOfStarted = async (
  directory: string,
  { index, term }: BackupHeader,
  { clock, random, log }: { readonly clock: Clock; readonly random: () => number; readonly log: Log },
): Promise<string> => {
  const logStore = openSqliteLog({ directory, log })
  const system = createActorSystem({ clock, random, log })
  const transport = memoryNetwork({ clock, random }).transport({ self: NODE_ID, listen: '10.0.0.1:1', log })
  try {
    const consensus = await createConsensus({
      system,
      transport,
      clock,
      random,
      log,
      logStore,
      snapshotStore: openSnapshots({ directory: join(directory, 'snapshots'), log }),
      id: NODE_ID,
      bootstrap: false,
    })
    await consensus.barrier({ timeoutMs: READY_WITHIN_MS })
    // The entry that opens its term has moved it on by one, and changed nothing else.
    const digest = digestOf({ ...consensus.state(), index, term })
    await consensus.stop()
    return digest
  } finally {
    system.stop()
    await transport.stop()
    await logStore.close()
  }
}
