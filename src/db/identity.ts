/** As whom a transaction runs: one org's tenant role, or the system's. */
export type Identity = { role: 'molar_app'; orgId: string } | { role: 'molar_system' }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The tenant identity of an org; throws on anything but a UUID, because it is written into SQL. */
export function tenantIdentity(orgId: string): Identity {
  if (!uuid.test(orgId)) throw new TypeError(`An org id is a UUID, not ${JSON.stringify(orgId)}`)
  return { role: 'molar_app', orgId }
}

/**
 * Sets role, org and time limit until the transaction ends, and nothing longer: a pooler hands the session to others.
 * The system has no org: the setting is emptied rather than left as the session may have it.
 */
export const settingsOf = (identity: Identity, timeoutMs: number): string =>
  `select where (set_config('role','${identity.role}',true)||` +
  `set_config('app.org_id','${identity.role === 'molar_app' ? identity.orgId : ''}',true)||` +
  `set_config('statement_timeout','${Math.max(1, Math.floor(timeoutMs))}',true)) is null` // never: so no row comes back
