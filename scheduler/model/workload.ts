/** What a user asked for. Defaults are filled in before a workload enters the log, so every field is present here. */
import type { Constraint, Labels } from './selector.ts'

/** `service` keeps `count` pods, `global` keeps one per matching node, `batch` runs `count` pods to completion. */
export type WorkloadKind = 'service' | 'global' | 'batch'

export type Port = {
  /** Unique within the pod; `http` for the first unnamed one, `port-2`, … after it. */
  readonly name: string
  /** Port inside the container. 0: the process is told its port by the PORT variable. */
  readonly container: number
  /** Host port on the node's address; null asks the scheduler for a free one of the node's range. */
  readonly host: number | null
  readonly protocol: 'tcp' | 'udp'
}

export type HealthCheck = {
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Failures within this time after the start do not count; a success ends the period early. */
  readonly startPeriodMs: number
  /** Consecutive failures that make the pod unhealthy, and thereby restart the container. */
  readonly threshold: number
} & (
  | { readonly type: 'http'; readonly path: string; readonly port: string }
  | { readonly type: 'tcp'; readonly port: string }
  | { readonly type: 'exec'; readonly command: readonly string[] }
)

export type Resources = {
  /** Reserved thousandths of a core; 0 reserves nothing. */
  readonly cpuMillis: number
  /** Reserved and, where the runtime can, enforced. 0 reserves nothing and enforces nothing. */
  readonly memoryBytes: number
}

export type ContainerSpec = {
  /** Unique within the pod. */
  readonly name: string
  /** Null: `command` runs directly in the process runtime. */
  readonly image: string | null
  /** Empty: the image's own command. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly ports: readonly Port[]
  readonly resources: Resources
  readonly health: HealthCheck | null
}

export type PodTemplate = {
  readonly labels: Labels
  /** At least one. */
  readonly containers: readonly ContainerSpec[]
}

export type PlaceStrategy = 'spread' | 'binpack' | 'random'

export type PlacePolicy = {
  readonly strategy: PlaceStrategy
  readonly constraints: readonly Constraint[]
  /** Label keys whose values pods are spread over evenly, most important first; nodes themselves come last. */
  readonly spread: readonly string[]
  /** At most this many pods of the workload on one node; null: no limit. */
  readonly maxPerNode: number | null
}

export type RestartPolicy = {
  /** Inside a pod: restarts its containers. Beyond it: a service slot is done after a clean exit unless `always`, and after any exit with `never`; a lost pod is always replaced. */
  readonly policy: 'always' | 'on-failure' | 'never'
  /** First delay; doubles with each restart up to `backoffMsMax`; resets after the pod ran well for `backoffMsMax`. */
  readonly backoffMs: number
  readonly backoffMsMax: number
  /** Restarts inside one pod before it fails and the scheduler replaces it; null: no limit. A batch slot has failed after so many retries, counting those inside its pods. */
  readonly attemptsMax: number | null
}

export type UpdatePolicy = {
  /** How many pods may be replaced at once. */
  readonly parallelism: number
  readonly order: 'stop-first' | 'start-first'
}

export type WorkloadSpec = {
  /** `web`, or with its namespace `prod/web` (namespace.ts); unique. */
  readonly name: string
  readonly kind: WorkloadKind
  /** Wanted pods; ignored for `global`. 0 is allowed. */
  readonly count: number
  readonly pod: PodTemplate
  readonly place: PlacePolicy
  readonly restart: RestartPolicy
  readonly update: UpdatePolicy
}

/** Why a slot has no pod: written by the leader's plan, removed when the slot is filled. */
export type PendingSlot = {
  readonly slot: number
  /** A sentence, made of the filters' refusals. */
  readonly reason: string
  readonly sinceMs: number
}

/** What the pods of one generation run by. */
export type Revision = {
  readonly generation: number
  readonly pod: PodTemplate
  readonly restart: RestartPolicy
}

export type Workload = {
  readonly spec: WorkloadSpec
  /** Grows when the pod template changes or a restart is asked for: pods of an older generation are replaced. */
  readonly generation: number
  /** Older generations, oldest first, each kept until the last of its pods has ended: those run on as they began. */
  readonly past: readonly Revision[]
  /** True after `tutti stop`: the count is kept, no pod is wanted. */
  readonly stopped: boolean
  readonly pending: readonly PendingSlot[]
  readonly createdIndex: number
  readonly modifiedIndex: number
}
