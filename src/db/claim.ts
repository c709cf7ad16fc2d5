import type { JobWithMetadata, PgBoss } from 'pg-boss'
import type { Database } from './database.ts'

/**
 * Takes up to `free` jobs. One worker at a time per queue, under a lock: pg-boss counts an org's running jobs before it
 * takes more, and two at once would both find room. In rounds of a rising limit per org (1, 2, 4, …), so that an org
 * with nothing running comes before one with much, however long the other's line is.
 */
export async function claim(
  { boss, database, schema, name }: { boss: PgBoss; database: Database; schema: string; name: string },
  free: number,
  perOrgLimit = Number.POSITIVE_INFINITY,
): Promise<JobWithMetadata<object>[]> {
  const waiting = await database.system.query(
    `select from ${schema}.job where name = $1 and state < 'active' and not blocked and start_after <= now() limit $2`,
    [name, free],
  )
  if (waiting.length === 0) return []
  return database.system.tx(async (q) => {
    await q.query('select pg_advisory_xact_lock(hashtextextended($1, 5570003))', [`${schema}.${name}`])
    const db = { executeSql: async (text: string, values?: unknown[]) => ({ rows: await q.query(text, values) }) }
    const taken: JobWithMetadata<object>[] = []
    let limit = 1
    // No rounds for what is not there: what comes meanwhile is told of.
    const most = Math.min(free, waiting.length)
    while (taken.length < most) {
      const batchSize = free - taken.length
      const unlimited = limit >= perOrgLimit ? perOrgLimit === Number.POSITIVE_INFINITY : limit > 64
      const group = unlimited ? {} : { groupConcurrency: Math.min(limit, perOrgLimit) }
      const jobs = await boss.fetch<object>(name, { includeMetadata: true, batchSize, db, ...group })
      taken.push(...jobs)
      if (jobs.length > 0) continue
      if (unlimited || limit >= perOrgLimit) break
      limit *= 2
    }
    return taken
  })
}
