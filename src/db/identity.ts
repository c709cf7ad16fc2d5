/** As whom a transaction runs: one org, perhaps with the eyes of one person beside it, or the system. */
export type Identity = { role: 'molar_app'; orgId: string; userId?: string | undefined } | { role: 'molar_system' }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The tenant identity of an org; throws on anything but UUIDs, because they are written into SQL. */
export function tenantIdentity(orgId: string, userId?: string): Identity {
  for (const id of [orgId, userId])
    if (id !== undefined && !uuid.test(id)) throw new TypeError(`Orgs and people have UUIDs, not ${JSON.stringify(id)}`)
  return { role: 'molar_app', orgId, userId }
}

/**
 * Sets role, org and time limit until the transaction ends, and nothing longer: a pooler hands the session to others.
 * Who has no org or person: the setting is emptied rather than left as the session may have it.
 */
export const settingsOf = (identity: Identity, timeoutMs: number): string => {
  const [org, person] = identity.role === 'molar_app' ? [identity.orgId, identity.userId ?? ''] : ['', '']
  return `select where app.act_as('${identity.role}','${org}','${person}','${Math.max(1, Math.floor(timeoutMs))}')`
}

/** The same for whoever holds the credential with this fingerprint; answers who that is (see app.enter). */
export const enteringSettings = (fingerprint: Buffer, timeoutMs: number): string =>
  `select app.enter('\\x${fingerprint.toString('hex')}'),set_config('role','molar_app',true),` +
  `set_config('app.user_id','',true),set_config('statement_timeout','${Math.max(1, Math.floor(timeoutMs))}',true)`
