import type { Logger } from 'pino'
import type { CheckpointStore } from './audit/index.ts'
import type { BlobStore } from './blobs/index.ts'
import type { Pages } from './cursor.ts'
import type { Egress } from './egress/index.ts'
import type { Keyring } from './keyring.ts'
import type { Principal } from './principal.ts'
import type { RunEvent } from './runs/index.ts'

/** SQL in the caller's org: row-level security holds below whatever the statement says. */
export interface Queries {
  query<Row extends object = Record<string, unknown>>(text: string, params?: unknown[]): Promise<Row[]>
}

export interface TenantDatabase extends Queries {
  /** One transaction; never kept open across waiting, emitting or I/O. */
  tx<Result>(work: (tx: Queries) => Promise<Result>): Promise<Result>
}

export interface Database {
  /** With a person's id, their own rows and memberships can be seen too. */
  tenant(orgId: string, userId?: string): TenantDatabase
  /** Across orgs: only for authentication, dispatch, live events and housekeeping. */
  system: TenantDatabase
  /** One statement as the org of the credential with this fingerprint; `holder` says whose it is. */
  enter(fingerprint: Buffer, text: string, params?: unknown[]): Promise<{ holder: string | null; rows: object[] }>
}

export interface JobOptions {
  orgId: string
  /** The job commits with the transaction's write. */
  tx?: Queries
  singletonKey?: string
  startAfterSeconds?: number
  priority?: number
}

export interface JobQueue {
  send(name: string, data: object, options: JobOptions): Promise<void>
}

/** Events as they are written by whichever process runs a run, here as soon as they have committed. */
export interface LiveEvents {
  /** Calls back when the run may have new events or another state. Spurious calls are fine; none is lost for longer than the sweep (1 s). */
  watch(runId: string, wake: () => void, after?: number): () => void
  /** Events after `after`, read once for all who watch with an `after`; undefined where the table must be asked. */
  read(runId: string, after: number): readonly RunEvent[] | undefined
}

/** Keeps secrets out of what somebody else recorded, as a worker does with what it records itself. */
export interface Scrubber {
  /** Every text of a JSON value without the known secrets and what looks like a credential. */
  json<Value>(value: Value): Value
  /** The same for an artifact's bytes. Throws where they cannot be read as what they are said to be. */
  artifact(bytes: Buffer, mediaType: string): Promise<Buffer>
}
export type MakeScrubber = (secrets: Record<string, string>) => Promise<Scrubber>

/** What is counted by the minute: an org's reads, writes and reports, and what hands out access, by address. */
export type RateClass = 'read' | 'write' | 'ingest' | 'entry'

/** An allowance after a call. */
export interface RateState {
  kind: RateClass
  limit: number
  remaining: number
  /** Until all of it is there again. */
  resetSeconds: number
  /** The call was not to be had; ask again then. */
  retryAfterSeconds?: number
}

export interface RateLimiter {
  /** Takes one call from the allowance that `key` names; undefined where there is no limit. `orgId`: whose row it is. */
  take(kind: RateClass, who: { key: string; orgId?: string }): Promise<RateState | undefined>
}

/** What the operator decides for everybody. */
export interface Settings {
  /** The version of the terms that a person must have accepted to make an org; null: there are none. */
  terms: string | null
  /** What new orgs start with; 'unlimited' where nothing is counted against anybody. */
  plan: 'unlimited' | 'free'
  /** Whether agents may open an org for a person. */
  agentSignup: boolean
  /** Whether usage is told to a billing service. */
  metered: boolean
}

/** What one process has, once, for all calls. */
export interface Services {
  db: Database
  queue: JobQueue
  blobs: BlobStore
  live: LiveEvents
  keyring: Keyring
  /** Signed states of audit chains, outside the database. */
  checkpoints: CheckpointStore
  egress: Egress
  rates: RateLimiter
  authenticate(credential: Credential | undefined, wanted: Wanted): Promise<Principal>
  /** The same together with a first statement; undefined where this kind of credential is resolved by itself. */
  arrive(credential: Credential | undefined): Arrival | undefined
  /** Secrets of the environment (MOLAR_SECRET_…) that local runs may use, by name. */
  localSecrets: Record<string, string>
  scrubber: MakeScrubber
  /** Where this server is reached from outside, without a trailing slash; null where there is none, as under stdio. */
  publicUrl: string | null
  settings: Settings
  /** Told of each finished call; for metrics. */
  observe(call: { command: string; door: Door; result: string; milliseconds: number }): void
  log: Logger
}

export type Door = 'mcp' | 'rest' | 'cli' | 'web' | 'worker'

export interface Mail {
  to: string
  subject: string
  /** Plain text; links stand on lines of their own. */
  text: string
}

/** What the caller showed to prove who it is: an Authorization header, a session's cookie, X-Internal-Token, a link. */
export interface Credential {
  kind: 'bearer' | 'session' | 'internal' | 'signed'
  token: string
  /** Of a session: in a cookie that another host of the same domain could have set. */
  plain?: true
}

/** A credential that is resolved in the round trip of the first statement. */
export interface Arrival {
  db: Queries
  /** Known once the first statement has been answered; undefined for ever where the credential is worth nothing. */
  found: Principal | undefined
  /** Throws unauthorized, or what the first statement threw. */
  principal(): Promise<Principal>
}

/** As whom a credential that is good for several orgs is to act. */
export interface Wanted {
  /** The org that the caller named, by id or slug. */
  org?: string | undefined
  /** false: the command concerns no org. */
  tenant?: false | undefined
}

/** One call, as its door knows it. Services come late: a door answers before the database is up. */
export interface CallContext {
  services(): Promise<Services>
  door: Door
  requestId: string
  credential: Credential | undefined
  /** Which of the caller's orgs is meant: an id or a slug. */
  org?: string | undefined
  idempotencyKey?: string | undefined
  remoteAddress?: string | undefined
  /** Told what is left of the caller's allowance, before the command is carried out or refused. */
  onRate?: ((state: RateState) => void) | undefined
  signal?: AbortSignal | undefined
}

/** What a command's handler gets. */
export interface HandlerContext {
  principal: Principal
  /** A read: statements as they come. A write: the transaction that it is. */
  db: Queries
  pages: Pages
  blobs: BlobStore
  live: LiveEvents
  keyring: Keyring
  checkpoints: CheckpointStore
  egress: Egress
  localSecrets: Record<string, string>
  scrubber: MakeScrubber
  publicUrl: string | null
  settings: Settings
  /** Sends a mail, after the write that it belongs to has committed. */
  mail(message: Mail): Promise<void>
  /** Queues a job of this org; in a write it commits with the write. */
  enqueue(name: string, data: object, options?: Omit<JobOptions, 'orgId' | 'tx'>): Promise<void>
  door: Door
  requestId: string
  signal: AbortSignal
  log: Logger
}
