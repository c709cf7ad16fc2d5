import { type Adapter, type AdapterFactory, type AdapterPayload, errors, Provider } from 'oidc-provider'
import type { Database } from '../../core/context.ts'
import { newId } from '../../core/ids.ts'
import type { Keyring } from '../../core/keyring.ts'
import { nobody } from '../../core/principal.ts'
import type { Limits } from '../limits.ts'
import { readClient, sealClient } from './clients.ts'
import { tellClient } from './errors.ts'
import { appOf, recordIn } from './record.ts'
import { recordFingerprint } from './resource.ts'
import * as store from './store.ts'

export interface AdapterOptions {
  db: Database
  keyring: Keyring
  limits: Limits
  /** What a token is kept as: bound to the resource that it is for. */
  fingerprintOf(token: string): Buffer
  resource: string
}

/** Seconds in which a refresh token may be used again: clients refresh twice at once, and lose answers. */
const grace = 10

/** oidc-provider's memory, in PostgreSQL: ids as HMACs, payloads sealed, so that whoever reads the tables can sign in as nobody. */
export function makeAdapter(options: AdapterOptions): AdapterFactory {
  return (model) => {
    if (model === 'AccessToken') return inWords(accessTokens(options))
    if (model === 'Client') return inWords(clients(options))
    return inWords(records(model, options))
  }
}

/** Which records end with their grant, by a foreign key. */
const granted = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode'])

function records(model: string, { db, keyring }: AdapterOptions): Adapter {
  const fingerprintOf = (id: string) => recordFingerprint(keyring, model, id)
  const about = (fingerprint: Buffer) => `oauth|${model}|${fingerprint.toString('hex')}`
  const read = (found: store.StoredRecord, fingerprint: Buffer): AdapterPayload => ({
    ...JSON.parse(keyring.open(found.payload, about(fingerprint))),
    ...(isConsumed(model, found) && { consumed: true }),
  })
  const byAlias = async (alias: string) => {
    const found = await store.findRecordByAlias(db.system, model, fingerprintOf(alias))
    return found && read(found, found.fingerprint)
  }
  return {
    async upsert(id, payload, expiresIn = 0) {
      const fingerprint = fingerprintOf(id)
      const alias = payload.userCode ?? payload.uid
      const kept = model === 'Session' ? withoutPerson(payload) : payload
      const record = {
        model,
        fingerprint,
        payload: keyring.seal(JSON.stringify(kept), about(fingerprint)),
        grantId: model === 'Grant' ? id : granted.has(model) ? (payload.grantId ?? null) : null,
        alias: alias === undefined ? null : fingerprintOf(alias),
        expiresIn,
      }
      await store.saveRecord(db.system, record)
    },
    async find(id) {
      const fingerprint = fingerprintOf(id)
      const found = await store.findRecord(db.system, model, fingerprint)
      return found && read(found, fingerprint)
    },
    findByUid: byAlias,
    findByUserCode: byAlias,
    async consume(id) {
      const first = await store.consumeRecord(db.system, model, fingerprintOf(id))
      if (first || model === 'RefreshToken') return
      // Two requests with one code: somebody has a copy of it, so neither keeps what it opened.
      const { grantId } = (await this.find(id)) ?? {}
      if (grantId) await endGrant(db, grantId)
      throw new errors.InvalidGrant('code already consumed')
    },
    async destroy(id) {
      if (model === 'Grant') await endGrant(db, id)
      else await store.deleteRecord(db.system, model, fingerprintOf(id))
    },
    revokeByGrantId: (grantId) => endGrant(db, grantId),
  }
}

/** oidc-provider ends a grant once for each kind of token: the first time is the one on record. */
async function endGrant(db: Database, id: string): Promise<void> {
  await db.system.tx(async (tx) => {
    const holder = await store.deleteGrant(tx, id)
    if (holder) await recordIn(tx, 'apps.revoke', appOf(holder), { target: id })
  })
}

const isConsumed = (model: string, { consumed }: store.StoredRecord): boolean =>
  consumed !== null && (model !== 'RefreshToken' || consumed > grace)

/** Who is signed in is what Molar's own session says, anew each time: signing out there is signing out here. */
function withoutPerson({ accountId: _, loginTs: _at, authorizations: _apps, ...rest }: AdapterPayload): AdapterPayload {
  return rest
}

/** Access tokens are rows of `credentials`, found by the same statement as every other key. */
function accessTokens({ db, fingerprintOf, resource }: AdapterOptions): Adapter {
  return {
    ...unused('AccessToken'),
    async upsert(id, payload, expiresIn = 0) {
      const token = {
        id: newId(),
        fingerprint: fingerprintOf(id),
        prefix: id.slice(0, 6),
        grantId: payload.grantId ?? '',
        scopes: (payload.scope ?? '').split(' ').filter(Boolean),
        expiresIn,
      }
      await db.system.tx(async (tx) => {
        const holder = await store.insertToken(tx, token)
        if (!holder) throw new errors.InvalidGrant('grant not found')
        const refreshed = payload.gty?.endsWith('refresh_token')
        await recordIn(tx, refreshed ? 'apps.refresh' : 'apps.token', appOf(holder), { target: token.id })
      })
    },
    async find(id) {
      const found = await store.findToken(db.system, fingerprintOf(id))
      if (!found) return undefined
      const seconds = (time: Date) => Math.floor(time.getTime() / 1000)
      return {
        kind: 'AccessToken',
        jti: id,
        accountId: found.user_id,
        clientId: found.client_id,
        grantId: found.grant_id,
        scope: found.scopes.join(' '),
        aud: resource,
        iat: seconds(found.created_at),
        exp: seconds(found.expires_at),
      }
    },
    destroy: (id) => store.deleteToken(db.system, fingerprintOf(id)),
    revokeByGrantId: (grantId) => endGrant(db, grantId),
  }
}

function clients({ db, keyring, limits }: AdapterOptions): Adapter {
  return {
    ...unused('Client'),
    async upsert(id, payload) {
      await limits.take('app_registration', Provider.ctx?.ip ?? '')
      await db.system.tx(async (tx) => {
        await sealClient(tx, keyring, id, payload)
        await recordIn(tx, 'apps.register', nobody, { target: id })
      })
    },
    find: (id) => readClient(db, keyring, id),
  }
}

/** What oidc-provider asks of a model of another kind. */
function unused(model: string): Adapter {
  const never = async () => {
    throw new Error(`${model} has no such operation`)
  }
  return {
    upsert: never,
    find: never,
    findByUid: never,
    findByUserCode: never,
    consume: never,
    destroy: never,
    revokeByGrantId: never,
  }
}

/** What the database refuses, as an app can read it. */
function inWords(adapter: Adapter): Adapter {
  const telling = Object.entries(adapter).map(([name, work]) => [
    name,
    (...given: unknown[]) =>
      (work as (...given: unknown[]) => Promise<unknown>).apply(adapter, given).catch(tellClient),
  ])
  return Object.fromEntries(telling) as Adapter
}
