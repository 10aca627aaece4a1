/** `tutti audit`: who did what, and what strangers tried; each record is checked against the chain as it is read. */
import type { AuditLine } from '../../../node/api/native/schema-access.ts'
import { Failure } from '../../../node/errors.ts'
import type { TrailName } from '../../../scheduler/index.ts'
import { type AuditItem, type Follower, followTrails } from '../../audit-trail.ts'
import type { Command, Session } from '../../command.ts'
import { print } from '../../list.ts'
import { escapeLine } from '../../output/escape.ts'
import type { Format } from '../../output/format.ts'
import type { Column } from '../../output/table.ts'
import { clock } from '../../output/time.ts'
import { usage } from '../../usage.ts'

const columns: readonly Column<AuditItem>[] = [
  { title: 'TIME', cell: item => clock(new Date(item.atMs).toISOString()) },
  { title: 'NUMBER', cell: item => item.number, isWide: true },
  { title: 'WHO', cell: item => (item.name === null ? item.who : `${item.who} (${item.name})`) },
  { title: 'FROM', cell: item => item.from },
  { title: 'NODE', cell: item => item.node || null },
  { title: 'WHAT', cell: item => item.action },
  { title: 'ON', cell: item => item.target || null },
  { title: 'OUTCOME', cell: item => item.outcome, as: 'state' },
  { title: 'DETAIL', cell: item => item.detail || ' ', as: 'text' },
  { title: 'HASH', cell: item => item.hash.slice(0, 12), isWide: true },
]

const view = {
  columns,
  name: (item: AuditItem): string => `${item.trail}/${item.number}`,
  empty: 'nothing on record yet',
}

/** `done:412:9f2c…`: a head that was noted earlier. */
const EXPECTED = /^(done|tried):(\d{1,15}):([0-9a-f]{12,64})$/

const readAll = async (lines: AsyncIterable<AuditLine>, follower: Follower): Promise<AuditItem[]> => {
  const items: AuditItem[] = []
  const heads = new Map<TrailName, string>()
  for await (const line of lines) {
    if (line.type === 'trail') heads.set(line.trail, line.head)
    const item = follower.take(line)
    if (item !== null) items.push(item)
  }
  for (const [trail, { head, next }] of follower.followed())
    if (heads.get(trail) !== head)
      throw new Failure(
        'E_DISK_DAMAGED',
        `the audit trail "${trail}" ends after record ${next - 1}, and says that it goes on`,
      )
  return items.sort((a, b) => a.atMs - b.atMs || a.index - b.index)
}

/** The chain of each node that answers, and that they all say the same of every record that they have in common. */
const verify = async (session: Session, expected: string | null): Promise<void> => {
  const own = followTrails()
  await readAll(session.client.audit({ follow: false }), own)
  if (expected !== null) checkExpected(own, expected)
  const agreeing: string[] = []
  for (const { name, state } of await session.client.nodes()) {
    if (state === 'left') continue
    const other = followTrails()
    try {
      await readAll(session.client.with({ node: name }).audit({ follow: false }), other)
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'E_UNREACHABLE') throw thrown
      session.terminal.note(` ! ${escapeLine(name)} does not answer, and is left out\n`)
      continue
    }
    for (const [trail, { next }] of other.followed()) checkCommon(trail, next, { own, other, name })
    agreeing.push(name)
  }
  for (const [trail, { first, next, head }] of own.followed())
    await session.terminal.write(
      `${trail}: ${next - first} records${next > first ? `, from ${first} to ${next - 1}` : ''}, unbroken on ${escapeLine(agreeing.join(', '))} · head ${trail}:${next - 1}:${head}\n`,
    )
}

const checkCommon = (
  trail: TrailName,
  next: number,
  { own, other, name }: { readonly own: Follower; readonly other: Follower; readonly name: string },
): void => {
  const last = Math.min(next, own.followed().get(trail)?.next ?? 0) - 1
  const [mine, theirs] = [own.hashOf(trail, last), other.hashOf(trail, last)]
  if (mine === null || theirs === null || mine === theirs) return
  throw new Failure('E_DISK_DAMAGED', {
    message: `${name} has another record ${last} in the audit trail "${trail}"`,
    why: 'equal logs give equal trails: on one of the nodes something was changed',
    try: `tutti audit -o jsonl --connect … on both, and compare; then tutti doctor`,
  })
}

const checkExpected = (own: Follower, text: string): void => {
  const [, trail, number, hash = ''] = EXPECTED.exec(text) ?? []
  if (trail === undefined)
    throw usage(`"${text}" is no head of a trail`, {
      why: 'it reads TRAIL:NUMBER:HASH, as --verify prints it',
    })
  const known = own.hashOf(trail as TrailName, Number(number))
  if (known?.startsWith(hash) === true) return
  throw new Failure('E_DISK_DAMAGED', {
    message:
      known === null
        ? `record ${number} of "${trail}" is not kept any more`
        : `record ${number} of "${trail}" is not the one that was noted`,
    why:
      known === null
        ? 'nodes keep the newest ones only'
        : `its hash is ${known.slice(0, 12)}…, and should be ${hash.slice(0, 12)}…`,
    try: 'tutti audit -o jsonl, and compare with what was kept elsewhere',
  })
}

const follow = async (session: Session): Promise<void> => {
  const format: Format = session.format === 'json' ? 'jsonl' : session.format
  const follower = followTrails()
  const widths = [10, 14, 12, 8, 14, 14, 7]
  let hasHeader = true
  for await (const line of session.client.audit({ follow: true })) {
    const item = follower.take(line)
    if (item === null) continue
    await print({ ...view, items: [item] }, session, { format, widths, hasHeader })
    hasHeader = false
  }
}

export const command: Command = {
  arguments: [],
  options: [
    { flags: '-f, --follow', description: 'keep running and add what comes' },
    { flags: '--verify', description: 'check the chain on every node that answers, and print its heads' },
    { flags: '--expect <head>', description: 'with --verify: a head that was noted earlier' },
  ],
  examples: ['tutti audit', 'tutti audit -f -o jsonl >> audit.jsonl', 'tutti audit --verify'],
  isEndless: flags => flags.is('follow'),
  async run(call, session) {
    const expected = call.flags.text('expect')
    if (call.flags.is('verify')) {
      await verify(session, expected)
      return 0
    }
    if (expected !== null)
      throw usage('--expect belongs to --verify', { try: `tutti audit --verify --expect ${expected}` })
    if (call.flags.is('follow')) {
      await follow(session)
      return 0
    }
    const items = await readAll(session.client.audit({ follow: false }), followTrails())
    await print({ ...view, items }, session)
    return 0
  },
}
