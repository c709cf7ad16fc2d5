import type { Queries } from '../context.ts'

export interface Acceptance {
  terms_version: string | null
  terms_accepted_at: Date | null
}

/** What the person accepted last. */
export async function findAcceptance(db: Queries, userId: string): Promise<Acceptance | undefined> {
  const [row] = await db.query<Acceptance>('select terms_version, terms_accepted_at from users where id = $1', [userId])
  return row
}

/** Records that the person of this transaction accepts this version. */
export async function saveAcceptance(db: Queries, version: string): Promise<void> {
  await db.query('select app.accept_terms($1)', [version])
}
