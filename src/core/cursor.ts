import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { fail } from './errors.ts'
import type { SigningKeys } from './keyring.ts'

/** A list's answer inside: at most `limit` items, and where to go on. */
export interface Page<Row> {
  items: Row[]
  next_cursor: string | null
  truncated: boolean
}

export interface Pages {
  /** What the cursor stands for (the sort key of the last item given), or undefined for the first page. */
  after<Key>(cursor: string | undefined): Key | undefined
  /** A page of rows that were asked for with `limit + 1`. */
  of<Row>(rows: Row[], limit: number, key: (row: Row) => unknown): Page<Row>
}

/** About 20,000 tokens: what an agent's client still reads whole. */
const maxPageBytes = 80_000

/** Cursors of one list: signed, and worthless for another list, another org or other filters. */
export function signedPages(keys: SigningKeys, list: () => { command: string; org: string; filters: unknown }): Pages {
  const scope = () => createHash('sha256').update(JSON.stringify(list())).digest()
  const sign = (payload: string, key: Buffer) =>
    createHmac('sha256', key).update(scope()).update(payload).digest().subarray(0, 12)
  const seal = (key: unknown) => {
    const payload = Buffer.from(JSON.stringify(key)).toString('base64url')
    return `${payload}.${sign(payload, keys()[0]).toString('base64url')}`
  }
  return {
    after(cursor) {
      if (cursor === undefined) return undefined
      const [payload = ''] = cursor.split('.', 1)
      // As text, all of it: base64 readers pass over what does not fit.
      const given = Buffer.from(cursor)
      const isSigned = keys().some((key) => {
        const wanted = Buffer.from(`${payload}.${sign(payload, key).toString('base64url')}`)
        return given.length === wanted.length && timingSafeEqual(given, wanted)
      })
      if (!isSigned) {
        fail('validation_failed', 'cursor: is not one of this list with these filters. Start again without a cursor.')
      }
      return JSON.parse(Buffer.from(payload, 'base64url').toString())
    },
    of(rows, limit, key) {
      const items: typeof rows = []
      let bytes = 0
      for (const row of rows.slice(0, limit)) {
        bytes += Buffer.byteLength(JSON.stringify(row))
        if (bytes > maxPageBytes && items.length > 0) break
        items.push(row)
      }
      const last = items.at(-1)
      const more = rows.length > items.length && last !== undefined
      return {
        items,
        next_cursor: more ? seal(key(last)) : null,
        truncated: items.length < Math.min(rows.length, limit),
      }
    },
  }
}
