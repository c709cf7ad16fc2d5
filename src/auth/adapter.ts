import { type CustomAdapter, createAdapterFactory, type DBAdapter } from 'better-auth/adapters'
import type { BetterAuthOptions } from 'better-auth/minimal'
import type { Database, Queries } from '../core/context.ts'
import { newId } from '../core/ids.ts'
import type { Keyring } from '../core/keyring.ts'
import { AccountStore, type Condition, type Row } from './account-store.ts'

/**
 * better-auth over our own database: the same connections and roles as everything else, through a transaction pooler
 * too. Its transactions are ours.
 */
export function accountAdapter(db: Database, keyring: Keyring) {
  return (options: BetterAuthOptions) => {
    const over = (queries: Queries, transaction: boolean): DBAdapter<BetterAuthOptions> =>
      createAdapterFactory({
        config: {
          adapterId: 'molar',
          supportsNumericIds: false,
          supportsUUIDs: false,
          customIdGenerator: () => newId(),
          transaction: transaction ? (work) => db.system.tx((tx) => work(over(tx, false))) : false,
        },
        adapter: () => customAdapter(new AccountStore(queries, keyring)),
      })(options)
    return over(db.system, true)
  }
}

function customAdapter(store: AccountStore): CustomAdapter {
  const first = async (rows: Promise<Row[]>) => ((await rows)[0] ?? null) as never
  const conditions = (where: readonly Condition[] | undefined) => where ?? []
  return {
    create: async ({ model, data }) => (await store.create(model, data)) as never,
    findOne: ({ model, where }) => first(store.find(model, where, { limit: 1 })),
    findMany: async ({ model, where, limit, offset, sortBy }) =>
      (await store.find(model, conditions(where), { limit, ...(offset && { offset }), sort: sortBy })) as never,
    count: ({ model, where }) => store.count(model, conditions(where)),
    update: ({ model, where, update: set }) => first(store.change(model, where, set as Row)),
    updateMany: async ({ model, where, update: set }) => (await store.change(model, where, set)).length,
    delete: async ({ model, where }) => void (await store.remove(model, where)),
    deleteMany: async ({ model, where }) => (await store.remove(model, where)).length,
    consumeOne: ({ model, where }) => first(store.remove(model, where)),
    incrementOne: ({ model, where, increment, set }) => first(store.change(model, where, set ?? {}, increment)),
  }
}
