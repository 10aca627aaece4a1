/** A small node for tests of the command line: serves schema-shaped answers on a unix socket and remembers what it was asked. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  ActorView,
  DoctorView,
  EventView,
  ExplainView,
  LogView,
  MemberView,
  NodeView,
  PodView,
  RaftView,
  StatusView,
  WorkloadView,
} from '../../node/api/native/schema.ts'
import type { TokenView } from '../../node/api/native/schema-access.ts'
import { ERRORS, type ErrorCode } from '../../node/errors.ts'
import * as sample from './fake-cluster.ts'

export type Asked = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly requestId: string | undefined
}

export type Refusal = {
  readonly code: ErrorCode
  readonly message: string
  readonly why?: string
  readonly try?: string
}

export class FakeApi {
  readonly directory: string
  readonly socket: string
  readonly asked: Asked[] = []
  status: StatusView = sample.status()
  nodes: NodeView[] = sample.nodes()
  pods: PodView[] = sample.pods()
  workloads: WorkloadView[] = [sample.workload('web', 3)]
  members: MemberView[] = []
  raft: RaftView = sample.raft()
  actors: ActorView[] = sample.actors()
  tokens: TokenView[] = []
  doctor: DoctorView[] = [{ check: 'disk', state: 'ok', text: '12 GB free', try: null }]
  explain: ExplainView = sample.explanation()
  events: EventView[] = sample.events()
  logs: LogView[] = sample.logs()
  /** How old its replica says that it is, and its index; null: that of the status. */
  ageMs: number | null = 0
  readIndex: number | null = null
  /** Answers every write with this instead. */
  refusal: Refusal | null = null
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  readonly #open = new Set<ServerResponse>()

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'tutti-cli-'))
    this.socket = join(this.directory, 'tutti.sock')
  }

  static async start(): Promise<FakeApi> {
    const api = new FakeApi()
    await new Promise<void>(resolve => api.#server.listen(api.socket, resolve))
    return api
  }

  async stop(): Promise<void> {
    for (const response of this.#open) response.destroy()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Sends one more value to everybody who follows events or logs. */
  push(value: EventView | LogView): void {
    for (const response of this.#open) response.write(`${JSON.stringify(value)}\n`)
  }

  /** How many follow events or logs now. */
  get followers(): number {
    return this.#open.size
  }

  get writes(): readonly Asked[] {
    return this.asked.filter(each => each.method !== 'GET')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://node')
    const text = Buffer.concat(chunks).toString('utf8')
    const path = url.pathname.replace('/tutti/v1/', '')
    const id = request.headers['tutti-request-id']
    this.asked.push({
      method: request.method ?? '',
      path,
      query: url.searchParams,
      body: text === '' ? null : JSON.parse(text),
      requestId: typeof id === 'string' ? id : undefined,
    })
    if (request.method === 'GET') this.#read(path, url.searchParams, response)
    else this.#write(`${request.method} ${path}`, response)
  }

  #read(path: string, query: URLSearchParams, response: ServerResponse): void {
    const [head = '', name = ''] = path.split('/').map(decodeURIComponent)
    const isFollow = query.get('follow') === '1'
    if (head === 'events') return this.#stream(this.events, isFollow, response)
    if (head === 'logs') {
      return this.#stream(
        this.logs.filter(log => log.pod === name || log.pod.startsWith(`${name}.`)),
        isFollow,
        response,
      )
    }
    if (head === 'explain') return this.#answer(200, this.explain, response)
    if (head === 'workloads' && name !== '') {
      const found = this.workloads.find(workload => workload.name === name)
      if (found === undefined)
        return this.#refuse({ code: 'E_NOT_FOUND', message: `there is no workload ${name}` }, response)
      return this.#answer(200, found, response)
    }
    const lists: Readonly<Record<string, readonly unknown[]>> = {
      status: [
        this.status.node === query.get('node') || !query.has('node')
          ? this.status
          : { ...this.status, node: query.get('node') },
      ],
      raft: [this.raft],
      nodes: this.nodes,
      pods: this.pods,
      workloads: this.workloads,
      members: this.members,
      actors: this.actors,
      tokens: this.tokens,
      doctor: this.doctor,
      version: [{ version: '0.1.0' }],
    }
    const items = lists[head]
    if (items === undefined)
      return this.#refuse({ code: 'E_NOT_FOUND', message: `no route ${path}` }, response)
    // A linear read has what every write before it did.
    const index = query.get('consistency') === 'linear' ? null : this.readIndex
    const { node, term } = this.status
    const meta = { node, index: index ?? this.status.index, term, ageMs: this.ageMs }
    this.#answer(200, { apiVersion: 'tutti/v1', items, meta }, response)
  }

  #write(what: string, response: ServerResponse): void {
    if (this.refusal !== null) return this.#refuse(this.refusal, response)
    if (what === 'POST tokens') {
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
      return this.#answer(
        201,
        { id: 'b7k', token: sample.TOKEN, expiresAt, joinAddress: '10.0.0.11:7701' },
        response,
      )
    }
    const message = `${what.replace(/^\w+ /, '')} done`
    this.#answer(200, { apiVersion: 'tutti/v1', index: this.status.index, changed: true, message }, response)
  }

  #answer(status: number, body: unknown, response: ServerResponse): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  #refuse(refusal: Refusal, response: ServerResponse): void {
    const error = { ...refusal, facts: {} }
    this.#answer(ERRORS[refusal.code].status, { apiVersion: 'tutti/v1', error }, response)
  }

  #stream(values: readonly unknown[], isFollow: boolean, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(values.map(value => `${JSON.stringify(value)}\n`).join(''))
    if (!isFollow) {
      response.end()
      return
    }
    this.#open.add(response)
    response.on('close', () => this.#open.delete(response))
  }
}
