import type { Link } from './links/index.ts'

/** What a credential may do. Names are the contract's; a wider scope covers the narrower ones listed behind it. */
export const scopes = {
  'mcp:read': 'Read scenarios, runs and the org',
  'mcp:write': 'Create, change and archive what the org has',
  'mcp:run': 'Start, rerun and cancel runs',
  'mcp:trace:read': 'Read traces, their events and artifacts',
  'mcp:debug': 'Use the debugger',
  'mcp:clone:write': 'Drive clones',
  'scheduled_checks:manage': 'Manage scheduled checks',
} as const

export type Scope = keyof typeof scopes
export const scopeNames = Object.keys(scopes) as [Scope, ...Scope[]]

const covers: Partial<Record<Scope, Scope[]>> = { 'mcp:write': ['mcp:read', 'scheduled_checks:manage'] }

export const hasScope = (held: readonly Scope[], needed: Scope): boolean =>
  held.some((scope) => scope === needed || covers[scope]?.includes(needed) === true)

/** Those of `wanted` that `held` does not cover: what somebody has not, they cannot give. */
export const scopesBeyond = (held: readonly Scope[], wanted: readonly Scope[]): Scope[] =>
  wanted.filter((scope) => !hasScope(held, scope))

export const roles = ['owner', 'admin', 'maintainer', 'viewer', 'billing'] as const
export type Role = (typeof roles)[number]

/**
 * The one table of who may do what in an org. A command names the power that it takes (reads take `read`, writes
 * `work`, unless it says otherwise):
 *   belong  see oneself and the org's name        read    see what the org has
 *   work    change it, run it                     manage  members, keys, secrets, the audit trail
 *   bill    plans, invoices, budgets              own     give the org away, export it, end it
 */
const rolePowers = {
  owner: ['belong', 'read', 'work', 'manage', 'bill', 'own'],
  admin: ['belong', 'read', 'work', 'manage'],
  maintainer: ['belong', 'read', 'work'],
  viewer: ['belong', 'read'],
  billing: ['belong', 'bill'],
} as const satisfies Record<Role, readonly string[]>
export type Power = (typeof rolePowers)[Role][number]

export const hasPower = (role: Role, power: Power): boolean => (rolePowers[role] as readonly Power[]).includes(power)
export const rolesWith = (power: Power): Role[] => roles.filter((role) => hasPower(role, power))

/** How a caller proved who it is, in words for messages. Kinds are added here as doors learn them. */
export const principalKinds = {
  local_owner: 'the owner’s key of a local installation',
  session: 'a signed-in person',
  api_key: 'an API key',
  pat: 'a personal access token',
  svc: 'a service token',
  oauth: 'an OAuth access token',
  internal: 'the internal service token',
  signed: 'a link that is good once',
  nobody: 'nobody',
} as const
export type PrincipalKind = keyof typeof principalKinds
export const principalKindNames = Object.keys(principalKinds) as [PrincipalKind, ...PrincipalKind[]]

/** Kinds that act for an org: what a command takes unless it says otherwise. */
export const acting = [
  'local_owner',
  'session',
  'api_key',
  'pat',
  'svc',
  'oauth',
  'internal',
] as const satisfies PrincipalKind[]
/** A person at a keyboard, and no program that holds a token of theirs: for accounts, orgs and credentials. */
export const inPerson = ['local_owner', 'session'] as const satisfies PrincipalKind[]

/** What concerns no org runs under the installation's own, which has no members and nothing to see. */
export const installation = { id: '00000000-0000-0000-0000-000000000000', slug: '-', name: 'This installation' }

/** Who calls a public command without a credential. */
export const nobody: Principal = {
  kind: 'nobody',
  id: installation.id,
  name: 'nobody',
  org: installation,
  user: null,
  role: 'viewer',
  scopes: [],
  expires_at: null,
}

/** Who calls, on behalf of which org, with which powers. Resolved anew on every call: a revoked credential fails at once. */
export interface Principal {
  kind: PrincipalKind
  /** The credential's id. */
  id: string
  name: string
  /** `installation` where the command concerns no org. */
  org: { id: string; slug: string; name: string }
  user: { id: string; email: string; name: string } | null
  role: Role
  scopes: Scope[]
  expires_at: Date | null
  /** Of a session: whether its person came in within the last minutes. */
  fresh?: boolean
  /** Of a one-shot link: what it is good for. */
  link?: Link
}
