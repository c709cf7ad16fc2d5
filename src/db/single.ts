import pg from 'pg'

/** The parts of pg's protocol layer that a query writes to. Not in @types/pg; test/db/database.test.ts holds pg to them. */
type Connection = { stream: { write(bytes: Buffer): unknown } }

type Internals = {
  prepare(connection: Connection): void
  handleDataRow(message: { fields: (string | null)[] }): void
  handleCommandComplete(message: unknown, connection: unknown): void
}

/** A settings statement without parameters, as the bytes of its Parse, Bind and Execute messages. */
export type Settings = Buffer & { readonly isSettings?: true }

/** Encodes once what is then sent in front of every statement: it is a third of a short query's cost otherwise. */
export function encodeSettings(text: string): Settings {
  const parse = message('P', `\0${text}\0\0\0`) // unnamed, no parameter types
  const bind = message('B', '\0'.repeat(8)) // unnamed portal and statement; no formats, no values, no result formats
  const execute = message('E', '\0'.repeat(5)) // unnamed portal, all rows
  return Buffer.concat([parse, bind, execute])
}

function message(kind: string, body: string): Buffer {
  const bytes = Buffer.from(`${kind}\0\0\0\0${body}`)
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}

const base = pg.Query.prototype as unknown as Internals

/**
 * One statement in a transaction of its own, preceded by a settings statement, in a single round trip: PostgreSQL runs
 * everything up to the protocol's Sync as one implicit transaction, so no BEGIN and COMMIT are needed. The settings'
 * CommandComplete is dropped, and what they answer, if anything, kept apart; an error in either is the query's.
 */
class SingleStatement extends pg.Query {
  readonly settings: Settings
  inSettings = true
  answer: string | null = null
  constructor(
    settings: Settings,
    text: string,
    values: unknown[],
    callback: (error: Error | null, result: pg.QueryResult) => void,
  ) {
    super({ text, values } as never, callback as never)
    this.settings = settings
  }
  requiresPreparation(): boolean {
    return true
  }
  prepare(connection: Connection): void {
    connection.stream.write(this.settings)
    base.prepare.call(this, connection)
  }
  handleDataRow(message: { fields: (string | null)[] }): void {
    if (this.inSettings) this.answer = message.fields[0] ?? null
    else base.handleDataRow.call(this, message)
  }
  handleCommandComplete(message: unknown, connection: unknown): void {
    if (this.inSettings) this.inSettings = false
    else base.handleCommandComplete.call(this, message, connection)
  }
}

/** `answer` is the first column of what the settings statement answered; null where it answered nothing. */
export type SingleResult = { rows: unknown[]; answer: string | null }

/** Runs one statement under the given settings on a client (pipelined or not). */
export function runSingle(
  client: pg.ClientBase,
  settings: Settings,
  text: string,
  values: unknown[],
): Promise<SingleResult> {
  return new Promise((resolve, reject) => {
    const statement: SingleStatement = new SingleStatement(settings, text, values, (error, result) =>
      error ? reject(error) : resolve({ rows: result.rows, answer: statement.answer }),
    )
    client.query(statement)
  })
}
