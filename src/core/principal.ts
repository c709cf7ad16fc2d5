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

export const roles = ['owner', 'admin', 'maintainer', 'viewer', 'billing'] as const
export type Role = (typeof roles)[number]

/** How a caller proved who it is. Kinds are added here as doors learn them; `call()` knows only the principal. */
export const principalKinds = ['api_key'] as const
export type PrincipalKind = (typeof principalKinds)[number]

/** Who calls, on behalf of which org, with which powers. Resolved anew on every call: a revoked credential fails at once. */
export interface Principal {
  kind: PrincipalKind
  /** The credential's id. */
  id: string
  name: string
  org: { id: string; slug: string; name: string }
  user: { id: string; email: string; name: string } | null
  role: Role
  scopes: Scope[]
  expires_at: Date | null
}
