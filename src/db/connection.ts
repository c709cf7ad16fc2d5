import pg from 'pg'

const int8 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit a JavaScript number`)
  return value
}

const int8Oid = 20
const dateOid = 1082
const int8ArrayOid = 1016

/** int8 as number (a RangeError beyond 2^53), date as 'YYYY-MM-DD', timestamptz as Date, json as values, numeric as text. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary') {
      if (oid === int8Oid) return int8
      if (oid === dateOid) return String
      if (oid === int8ArrayOid) return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(int8))
    }
    return pg.types.getTypeParser(oid, format)
  }) as typeof pg.types.getTypeParser,
}

/** What every connection of ours has in common; `application_name` shows in pg_stat_activity. */
export const connectionConfig = (url: string, applicationName: string): pg.ClientConfig => ({
  connectionString: url,
  application_name: applicationName,
  connectionTimeoutMillis: 5000,
  keepAlive: true,
  types,
})
