/** The native API as functions. Writes carry one request id over all tries, so a retry is applied once. */
import { randomUUID } from 'node:crypto'
import type {
  ActorView,
  ApplyRequest,
  BackupLine,
  DigestView,
  DoctorView,
  EventView,
  ExplainView,
  LogView,
  MemberView,
  Meta,
  NodeView,
  PodView,
  RaftView,
  RecoveryResult,
  RecoveryView,
  StatusView,
  WorkloadView,
  WriteResult,
} from '../node/api/native/schema.ts'
import type {
  AuditLine,
  TokenCreated,
  TokenRequest,
  TokenView,
  WhoamiView,
} from '../node/api/native/schema-access.ts'
import { Failure } from '../node/errors.ts'
import type { HttpRequest, Target } from './http.ts'

type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

export type ClientOptions = {
  readonly target: Target
  /** Name of the node that shall answer; null: whichever is connected to. */
  readonly node: string | null
  readonly signal: AbortSignal
  /** `local`, `linear` or `bounded:500ms` for every read; the node's default, `local`, when absent. */
  readonly consistency?: string | null
  /** Told of each list whose and how old it is. */
  readonly onMeta?: (meta: Meta) => void
}

/** Items of a list; a single object, which some routes answer with, is a list of one. */
const itemsOf = <Item>(body: unknown): readonly Item[] => {
  const items = (body as { items?: unknown }).items
  return Array.isArray(items) ? (items as Item[]) : [body as Item]
}

const metaOf = (body: unknown): Meta | null => (body as { meta?: Meta }).meta ?? null

export class Client {
  readonly #options: ClientOptions
  /** The newest index that a write of this client, or of one made from it, was given. */
  readonly #written: { index: number }

  constructor(options: ClientOptions, written = { index: 0 }) {
    this.#options = options
    this.#written = written
  }

  /** The same client with another signal, or answered by another node. */
  with(options: Partial<Omit<ClientOptions, 'target'>>): Client {
    return new Client({ ...this.#options, ...options }, this.#written)
  }

  status = async (): Promise<StatusView> => this.#one<StatusView>('status')
  raft = (): Promise<readonly RaftView[]> => this.#list<RaftView>('raft')
  digest = (): Promise<DigestView> => this.#one<DigestView>('digest')
  nodes = (): Promise<readonly NodeView[]> => this.#list<NodeView>('nodes')
  /** `all`: also pods that ended and are still remembered. */
  pods = (
    options: { readonly all?: boolean; readonly workload?: string } = {},
  ): Promise<readonly PodView[]> =>
    this.#list<PodView>('pods', { workload: options.workload, all: options.all === true ? 1 : null })
  workloads = (): Promise<readonly WorkloadView[]> => this.#list<WorkloadView>('workloads')
  members = (): Promise<readonly MemberView[]> => this.#list<MemberView>('members')
  actors = (): Promise<readonly ActorView[]> => this.#list<ActorView>('actors')
  whoami = (): Promise<WhoamiView> => this.#one<WhoamiView>('whoami')
  audit = (options: { readonly follow: boolean }): AsyncGenerator<AuditLine> =>
    this.#lines<AuditLine>('audit', { follow: options.follow ? 1 : null })
  tokens = (): Promise<readonly TokenView[]> => this.#list<TokenView>('tokens')
  doctor = (): Promise<readonly DoctorView[]> => this.#list<DoctorView>('doctor')
  version = (): Promise<{ readonly version: string }> => this.#one('version')
  workload = (name: string): Promise<WorkloadView> => this.#one(`workloads/${encodeURIComponent(name)}`)
  explain = (target: string): Promise<ExplainView> => this.#one(`explain/${encodeURIComponent(target)}`)

  events = (options: { readonly from?: number; readonly follow: boolean }): AsyncGenerator<EventView> =>
    this.#lines<EventView>('events', { from: options.from, follow: options.follow ? 1 : null })

  logs = (
    target: string,
    options: { readonly follow: boolean; readonly tail: number | null; readonly container: string | null },
  ): AsyncGenerator<LogView> =>
    this.#lines<LogView>(`logs/${encodeURIComponent(target)}`, {
      ...options,
      follow: options.follow ? 1 : null,
    })

  /** A dry run reads and writes nothing, so it is the one of these that takes a consistency. */
  apply = (request: ApplyRequest): Promise<WriteResult> =>
    this.#write('POST', 'workloads', request, {
      consistency: request.dryRun === true ? this.#options.consistency : null,
    })
  scale = (name: string, count: number): Promise<WriteResult> =>
    this.#write('POST', `workloads/${encodeURIComponent(name)}/scale`, { count })
  stop = (name: string): Promise<WriteResult> =>
    this.#write('POST', `workloads/${encodeURIComponent(name)}/stop`)
  restart = (name: string): Promise<WriteResult> =>
    this.#write('POST', `workloads/${encodeURIComponent(name)}/restart`)
  remove = (name: string): Promise<WriteResult> =>
    this.#write('DELETE', `workloads/${encodeURIComponent(name)}`)
  drain = (name: string): Promise<WriteResult> =>
    this.#write('POST', `nodes/${encodeURIComponent(name)}/drain`)
  activate = (name: string): Promise<WriteResult> =>
    this.#write('POST', `nodes/${encodeURIComponent(name)}/activate`)
  removeNode = (name: string, options: { readonly force: boolean }): Promise<WriteResult> =>
    this.#write('DELETE', `nodes/${encodeURIComponent(name)}`, undefined, { force: options.force ? 1 : null })
  setVoters = (count: number): Promise<WriteResult> => this.#write('POST', 'voters', { count })
  setZoneLoss = (waitMs: number | null): Promise<WriteResult> => this.#write('POST', 'zone-loss', { waitMs })
  backup = (options: { readonly stale: boolean }): AsyncGenerator<BackupLine> =>
    this.#lines<BackupLine>('backup', { consistency: options.stale ? 'local' : null })
  recovery = (): Promise<RecoveryView> => this.#one<RecoveryView>('recovery')
  recover = (): Promise<RecoveryResult> => this.#write('POST', 'recovery')
  leave = (): Promise<WriteResult> => this.#write('POST', 'leave')
  createToken = (request: TokenRequest): Promise<TokenCreated> => this.#write('POST', 'tokens', request)
  revokeToken = (id: string): Promise<WriteResult> =>
    this.#write('DELETE', `tokens/${encodeURIComponent(id)}`)

  async #one<T>(path: string): Promise<T> {
    const [item] = await this.#list<T>(path)
    if (item !== undefined) return item
    throw new Failure('E_NOT_FOUND', `the node knows nothing about ${path}`)
  }

  async #list<Item>(path: string, query: Query = {}): Promise<readonly Item[]> {
    const { consistency, onMeta } = this.#options
    const ask = (how: string | null | undefined): Promise<unknown> =>
      this.#exchange({ method: 'GET', path: this.#path(path, { ...query, consistency: how }) })
    const first = await ask(consistency)
    // Another node may answer than took the write: what was done must not look undone.
    const isBehind = (metaOf(first)?.index ?? this.#written.index) < this.#written.index
    const body = isBehind ? await ask('linear') : first
    const meta = metaOf(body)
    if (meta !== null) onMeta?.(meta)
    return itemsOf<Item>(body)
  }

  async *#lines<T>(path: string, query: Query): AsyncGenerator<T> {
    const { readLines, send } = await import('./http.ts')
    const { target, signal } = this.#options
    const { consistency } = this.#options
    const response = await send(target, {
      method: 'GET',
      path: this.#path(path, { ...query, consistency }),
      signal,
    })
    try {
      yield* readLines(response) as AsyncGenerator<T>
    } finally {
      response.destroy()
    }
  }

  async #write<T>(method: 'POST' | 'DELETE', path: string, body?: unknown, query: Query = {}): Promise<T> {
    const headers = { 'tutti-request-id': randomUUID() }
    const answer = await this.#exchange({
      method,
      path: this.#path(path, query),
      headers,
      ...(method === 'POST' ? { body: body ?? {} } : {}),
    })
    const { index } = answer as { index?: number }
    this.#written.index = Math.max(this.#written.index, index ?? 0)
    return itemsOf<T>(answer)[0] as T
  }

  async #exchange(request: Omit<HttpRequest, 'signal'>): Promise<unknown> {
    const { readJson, send } = await import('./http.ts')
    const { target, signal } = this.#options
    return readJson(await send(target, { ...request, signal }))
  }

  #path(path: string, query: Query): string {
    const search = new URLSearchParams()
    for (const [key, value] of Object.entries({ ...query, node: this.#options.node })) {
      if (value !== null && value !== undefined) search.set(key, String(value))
    }
    const text = search.toString()
    return `/tutti/v1/${path}${text === '' ? '' : `?${text}`}`
  }
}
