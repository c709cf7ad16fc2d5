import type { Arrival, Credential, Database, Queries } from '../core/context.ts'
import type { Keyring } from '../core/keyring.ts'
import type { Principal } from '../core/principal.ts'
import { bearerFingerprint, unknownBearer } from './bearer.ts'
import { readHolder } from './store.ts'

/**
 * Resolves a bearer token in the round trip of the first statement that is asked for. Other kinds of credential need
 * more than a look-up, and are resolved by themselves.
 */
export function makeArrive(
  db: Database,
  keyring: Keyring,
  publicUrl: () => string | null,
): (credential: Credential | undefined) => Arrival | undefined {
  return (credential) => {
    if (credential?.kind !== 'bearer') return undefined
    const { token } = credential
    const fingerprint = bearerFingerprint(keyring, token, publicUrl())
    return fingerprint && arrive(db, fingerprint, token)
  }
}

function arrive(db: Database, fingerprint: Buffer, token: string): Arrival {
  let holder: Promise<Principal> | undefined
  const first = (text: string, params?: unknown[]) => {
    const entered = db.enter(fingerprint, text, params)
    holder = entered.then((answer) => {
      arrival.found = readHolder(answer.holder)
      return arrival.found ?? unknownBearer(token)
    })
    holder.catch(() => {}) // asked for later, or never
    return entered
  }
  const query: Queries['query'] = async <Row extends object>(text: string, params?: unknown[]) => {
    if (holder) return db.tenant((await holder).org.id).query<Row>(text, params)
    const { rows } = await first(text, params)
    return rows as Row[]
  }
  const arrival: Arrival = {
    db: { query },
    found: undefined,
    principal: async () => {
      if (!holder) await first('select')
      return holder as Promise<Principal>
    },
  }
  return arrival
}
