import type { Queries } from '../context.ts'
import type { Scenario } from './scenario.ts'

const columns = 'id, slug, title, description, priority, tags, version, hash, created_at, updated_at, archived_at'

export interface NewScenario {
  id: string
  slug: string
  title: string
  description: string
  priority: string
  tags: string[]
  hash: string
  content: string
}

export interface ScenarioText {
  id: string
  slug: string
  version: number
  content: string
}

/** By slug (of one that is not archived) or by id. */
const byRef = `(id::text = $1 or (slug = $1 and archived_at is null))`

export async function findScenario(db: Queries, ref: string): Promise<(Scenario & { content: string }) | undefined> {
  const [row] = await db.query<Scenario & { content: string }>(
    `select ${columns}, (select content from scenario_versions v where v.org_id = s.org_id and v.scenario_id = s.id and v.version = s.version)
     from scenarios s where ${byRef} order by (id::text = $1) desc limit 1`,
    [ref],
  )
  return row
}

/** Newest first, from below `before`. */
export async function listVersions(db: Queries, scenarioId: string, before: number | undefined, limit: number) {
  return db.query<{ version: number; hash: string; content: string; created_at: Date }>(
    `select version, hash, content, created_at from scenario_versions
     where scenario_id = $1 and ($2::int is null or version < $2) order by version desc limit $3`,
    [scenarioId, before ?? null, limit],
  )
}

/** The text of one stored version. */
export async function findVersion(db: Queries, scenarioId: string, version: number): Promise<ScenarioText | undefined> {
  const [row] = await db.query<ScenarioText>(
    `select v.scenario_id as id, s.slug, v.version, v.content from scenario_versions v
     join scenarios s on s.org_id = v.org_id and s.id = v.scenario_id where v.scenario_id = $1 and v.version = $2`,
    [scenarioId, version],
  )
  return row
}

/** The current text of every scenario with one of these slugs or ids, or with one of these tags. */
export async function findTexts(
  db: Queries,
  refs: readonly string[],
  tags: readonly string[],
): Promise<ScenarioText[]> {
  return db.query<ScenarioText>(
    `select s.id, s.slug, s.version, v.content from scenarios s
     join scenario_versions v on v.org_id = s.org_id and v.scenario_id = s.id and v.version = s.version
     where s.archived_at is null and (s.id::text = any($1) or s.slug = any($1) or s.tags && $2) order by s.slug`,
    [refs, tags],
  )
}

export interface ListFilter {
  tag: string | undefined
  archived: boolean
}

export async function listScenarios(
  db: Queries,
  filter: ListFilter,
  after: { updated_at: string; id: string } | undefined,
  limit: number,
) {
  return db.query<Scenario>(
    `select ${columns} from scenarios
     where (archived_at is not null) = $1 and ($2::text is null or $2 = any(tags))
       and ($3::timestamptz is null or (updated_at, id) < ($3, $4::uuid))
     order by updated_at desc, id desc limit $5`,
    [filter.archived, filter.tag ?? null, after?.updated_at ?? null, after?.id ?? null, limit],
  )
}

/** Those already there with one of these ids or slugs. Uploads of an org come one after the other: one that is not there yet cannot be locked. */
export async function lockScenarios(
  tx: Queries,
  ids: readonly string[],
  slugs: readonly string[],
): Promise<Scenario[]> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended(app.current_org()::text, 5570010))`)
  return tx.query<Scenario>(
    `select ${columns} from scenarios where id = any($1::uuid[]) or (slug = any($2) and archived_at is null) order by id for update`,
    [ids, slugs],
  )
}

export async function saveScenario(tx: Queries, orgId: string, scenario: NewScenario, version: number): Promise<void> {
  const { id, slug, title, description, priority, tags, hash, content } = scenario
  await tx.query(
    `insert into scenarios (org_id, id, slug, title, description, priority, tags, version, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (org_id, id) do update set slug = $3, title = $4, description = $5, priority = $6, tags = $7, version = $8,
       hash = $9, updated_at = now(), archived_at = null`,
    [orgId, id, slug, title, description, priority, tags, version, hash],
  )
  await tx.query(
    'insert into scenario_versions (org_id, scenario_id, version, hash, content) values ($1, $2, $3, $4, $5)',
    [orgId, id, version, hash, content],
  )
}

/** Archives by ref; the scenario as it is now, or undefined. Archiving again changes nothing. */
export async function archiveScenario(tx: Queries, ref: string): Promise<Scenario | undefined> {
  const [row] = await tx.query<Scenario>(
    `update scenarios set archived_at = coalesce(archived_at, now()), updated_at = case when archived_at is null then now() else updated_at end
     where ${byRef} returning ${columns}`,
    [ref],
  )
  return row
}

/** Archives all but these ids; those that were archived. */
export async function archiveOthers(tx: Queries, ids: readonly string[]): Promise<Scenario[]> {
  return tx.query<Scenario>(
    `update scenarios set archived_at = now(), updated_at = now() where archived_at is null and not id = any($1::uuid[]) returning ${columns}`,
    [ids],
  )
}

export async function saveAsset(
  tx: Queries,
  orgId: string,
  asset: { scenarioId: string; name: string; sha256: string },
): Promise<void> {
  await tx.query(
    `insert into scenario_assets (org_id, scenario_id, name, sha256) values ($1, $2, $3, $4)
     on conflict (org_id, scenario_id, name) do update set sha256 = excluded.sha256`,
    [orgId, asset.scenarioId, asset.name, asset.sha256],
  )
}

/** A file of the scenario, by the name that its steps use. */
export async function findAsset(
  db: Queries,
  scenarioId: string,
  name: string,
): Promise<{ sha256: string; media_type: string } | undefined> {
  const [row] = await db.query<{ sha256: string; media_type: string }>(
    `select a.sha256, b.media_type from scenario_assets a join blobs b on b.org_id = a.org_id and b.sha256 = a.sha256
     where a.scenario_id = $1 and a.name = $2`,
    [scenarioId, name],
  )
  return row
}
