/** Who may call what: a route says what it takes, a caller what it has. Decides before anything of the request is read. */
import {
  type Grant,
  inNamespace,
  namespaceOf,
  type PodId,
  type Role,
  type State,
} from '../../scheduler/index.ts'
import { Failure } from '../errors.ts'
import type { ApiRequest, Caller } from './request.ts'

export type Access = {
  /** The least role that may call it. */
  readonly role: Role
  /** What it takes beyond the role, unless that is admin. */
  readonly grant?: Grant
  /**
   * `namespace`: it shows and changes nothing but what its caller's namespace holds. `cluster`: it is for callers who are
   * bound to none. `any`: it tells only about the caller and the program.
   */
  readonly scope: 'namespace' | 'cluster' | 'any'
}

const RANKS: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 }

export const isRole = (value: unknown): value is Role =>
  typeof value === 'string' && Object.hasOwn(RANKS, value)

const GRANTS: Readonly<Record<Grant, true>> = {
  exec: true,
  copy: true,
  secrets: true,
  chaos: true,
  'host-mounts': true,
}

export const GRANT_NAMES = Object.keys(GRANTS) as readonly Grant[]

export const isGrant = (value: unknown): value is Grant =>
  typeof value === 'string' && Object.hasOwn(GRANTS, value)

/** Throws E_FORBIDDEN. */
export const checkAccess = ({ caller, method, path }: ApiRequest, { role, grant, scope }: Access): void => {
  const refuse = (why: string, hint: string): never => {
    const facts = { role: caller.role, needed: role, ...(grant === undefined ? {} : { grant }) }
    throw new Failure(
      'E_FORBIDDEN',
      { message: `a ${caller.role} may not ${method} ${path}`, why, try: hint },
      { facts },
    )
  }
  if (RANKS[caller.role] < RANKS[role])
    refuse(
      `it takes the role ${role}; ${caller.name} has ${caller.role}`,
      `on a node: tutti token create --role ${role}`,
    )
  if (grant !== undefined && caller.role !== 'admin' && !caller.grants.includes(grant))
    refuse(
      `it takes the permission ${grant}, which no role but admin brings`,
      `on a node: tutti token create --role ${role} --allow ${grant}`,
    )
  if (scope === 'cluster' && caller.namespace !== null)
    refuse(
      `it is about the whole cluster; ${caller.name} is bound to the namespace ${caller.namespace}`,
      `on a node: tutti token create --role ${role}`,
    )
}

/**
 * The parameters of a route of scope `namespace` as its handler takes them: to a bound caller, a bare name is one of its
 * own namespace. Throws E_FORBIDDEN for another one, whether or not it holds anything.
 */
export const withinNamespace = (params: Names, { caller }: ApiRequest, state: State): Names =>
  caller.namespace === null
    ? params
    : Object.fromEntries(Object.entries(params).map(([key, text]) => [key, ownName(text, caller, state)]))

type Names = Readonly<Record<string, string>>

/** The whole name of a workload, slot or pod that a caller names; as it is, to those who are bound to no namespace. */
export const ownName = (text: string, caller: Caller, state: State): string => {
  const { namespace } = caller
  if (namespace === null) return text.startsWith('default/') ? text.slice('default/'.length) : text
  const pod = state.pods.get(text as PodId)
  if (pod !== undefined && namespaceOf(pod.workload) === namespace) return text
  const isBare = !text.includes('/')
  if (!isBare && namespaceOf(text) !== namespace) throw foreignNamespace(text, caller)
  return inNamespace(namespace, isBare ? text : text.slice(namespace.length + 1))
}

/** Whether what is named after a workload may be shown. */
export const isOwn = (name: string, { namespace }: Caller): boolean =>
  namespace === null || namespaceOf(name) === namespace

const foreignNamespace = (text: string, caller: Caller): Failure =>
  new Failure(
    'E_FORBIDDEN',
    {
      message: `${text} is in another namespace`,
      why: `${caller.name} is bound to the namespace ${caller.namespace}`,
      try: 'tutti ps',
    },
    { facts: { target: text, namespace: caller.namespace } },
  )
