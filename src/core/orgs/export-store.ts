import type { Queries } from '../context.ts'

export interface ExportTable {
  name: string
  /** Quoted. What is kept as bytes is a secret or a fingerprint of one, and stays here; the audit trail's hashes go. */
  columns: string[]
  /** Quoted names of the primary key, and their types. */
  keys: string[]
  types: string[]
}

/** Every table that holds rows of orgs and that the org may read. */
export async function findExportTables(db: Queries): Promise<ExportTable[]> {
  return db.query<ExportTable>(
    `select t.name::text as name,
       array(select quote_ident(a.attname) from pg_attribute a
             where a.attrelid = t.name and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
               and (a.atttypid <> 'bytea'::regtype or t.name::text like 'audit\\_%') order by a.attnum) as columns,
       array_agg(quote_ident(k.attname) order by k.place) as keys, array_agg(k.type order by k.place) as types
     from app.org_tables() t join lateral (
       select a.attname, format_type(a.atttypid, null) as type, array_position(i.indkey::int2[], a.attnum) as place
       from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
       where i.indrelid = t.name and i.indisprimary) k on true
     where has_table_privilege(t.name, 'select')
     group by t.name order by t.name::text`,
  )
}

export interface ExportRow {
  line: string
  /** The primary key, as text: where the next page begins. */
  key: string[]
}

/** One page of a table's rows as JSON text, in the order of its primary key. */
export async function findExportRows(
  db: Queries,
  { name, columns, keys, types }: ExportTable,
  after: string[] | undefined,
  limit: number,
): Promise<ExportRow[]> {
  const given = types.map((type, place) => `$${place + 2}::text::${type}`)
  const list = keys.join(', ')
  return db.query<ExportRow>(
    `select row_to_json(r)::text as line, array[${keys.map((key) => `(s.${key})::text`).join(', ')}] as key
     from (select * from ${name} where org_id = app.current_org() ${after ? `and (${list}) > (${given.join(', ')})` : ''}
           order by ${list} limit $1) s
       cross join lateral (select ${columns.map((column) => `s.${column}`).join(', ')}) r
     order by ${keys.map((key) => `s.${key}`).join(', ')}`,
    [limit, ...(after ?? [])],
  )
}

/** The org itself, as JSON text. */
export async function findExportOrg(db: Queries): Promise<string> {
  const [row] = await db.query<{ line: string }>(
    'select row_to_json(o)::text as line from orgs o where id = app.current_org()',
  )
  return row!.line
}

/** Who its members are: their rows belong to no org. */
export async function findExportPeople(db: Queries): Promise<string[]> {
  const rows = await db.query<{ line: string }>(
    `select json_build_object('id', u.id, 'email', u.email, 'name', u.name)::text as line
     from members m join users u on u.id = m.user_id where m.org_id = app.current_org() order by u.id`,
  )
  return rows.map(({ line }) => line)
}

export async function findExportBlobs(db: Queries, after: string, limit: number): Promise<string[]> {
  const rows = await db.query<{ sha256: string }>(
    'select sha256 from blobs where org_id = app.current_org() and sha256 > $1 order by sha256 limit $2',
    [after, limit],
  )
  return rows.map(({ sha256 }) => sha256)
}

/** Whether the org is there and is not about to end. */
export async function stillThere(db: Queries): Promise<boolean> {
  const rows = await db.query(`select 1 as there from orgs where id = app.current_org() and status <> 'deleting'`)
  return rows.length > 0
}
