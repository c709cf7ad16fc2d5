import pg from 'pg'

/** The version of the PostgreSQL behind this URL, such as "18.1". Throws what the driver says when it cannot be reached within 5 s. */
export async function databaseVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {}) // the query in flight rejects with it
  try {
    await client.connect()
    const { rows } = await client.query<{ version: string }>(`select current_setting('server_version') as version`)
    return rows[0]?.version ?? ''
  } finally {
    await client.end().catch(() => {})
  }
}
