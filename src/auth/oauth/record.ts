import { type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Database, Queries } from '../../core/context.ts'
import { installation, nobody, type Principal } from '../../core/principal.ts'
import { appendAudit } from '../../core/stages/audit.ts'
import { requestIdHeader } from './resource.ts'
import type { GrantHolder } from './store.ts'

// What apps do at the OAuth server is on record: in the chain of the org that the grant is of, else in the installation's.

type Happening = `apps.${'register' | 'token' | 'refresh' | 'revoke' | 'device'}`

export interface Recorded {
  target?: string | undefined
  /** An OAuth error's code where it was refused. */
  result?: string
  /** The request, where oidc-provider does not know it as the one that it answers. */
  ctx?: Pick<KoaContextWithOIDC, 'ip' | 'get'> | undefined
}

/** The app that acts: as its access tokens do. */
export function appOf({ id, client_name, org, user }: GrantHolder): Principal {
  return { ...nobody, kind: 'oauth', id, name: client_name, org, user }
}

/** In the transaction that it belongs to, last. `principal`: nobody where it is not known who asks. */
export function recordIn(
  tx: Queries,
  happening: Happening,
  principal: Principal,
  { target, result = 'ok', ctx = Provider.ctx }: Recorded = {},
): Promise<void> {
  const context = { door: 'rest', remoteAddress: ctx?.ip, requestId: ctx?.get(requestIdHeader) ?? '' } as const
  return appendAudit(tx, { command: { name: happening }, principal, context, target, result })
}

/** By itself, in the installation's chain. */
export const record = (db: Database, happening: Happening, what: Recorded): Promise<void> =>
  db.tenant(installation.id).tx((tx) => recordIn(tx, happening, nobody, what))
