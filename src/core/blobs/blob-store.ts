import type { Readable } from 'node:stream'

export interface StoredBlob {
  sha256: string
  /** Bytes. */
  size: number
  /** When these bytes were last stored; storing them again counts. */
  storedAt: Date
}

export interface LinkFacts {
  /** The file's name for whoever saves it. */
  name: string
  mediaType: string
  seconds: number
}

/** Content-addressed bytes of orgs. Written once, never changed. Hashes are SHA-256, hex. */
export interface BlobStore {
  /** True where `link` is good on every machine, for as long as it was asked for; false where it is a file of this one. */
  readonly presigns: boolean
  /** Stores the bytes and answers their hash. Storing the same bytes again changes nothing but their age. */
  put(orgId: string, bytes: Uint8Array): Promise<string>
  /** Bytes; undefined where these are not. */
  size(orgId: string, sha256: string): Promise<number | undefined>
  /** The bytes, or those from `start` to `end` inclusive; undefined where they are not. */
  get(orgId: string, sha256: string, range?: { start: number; end: number }): Promise<Readable | undefined>
  /** A URL by which whoever has it reads the bytes past this server; undefined where they are not. */
  link(orgId: string, sha256: string, facts: LinkFacts): Promise<string | undefined>
  /** Deletes the bytes, unless they were stored again after `storedBefore`. Answers whether they are gone. */
  delete(orgId: string, sha256: string, storedBefore?: Date): Promise<boolean>
  /** Deletes all that an org has stored. */
  deleteAll(orgId: string): Promise<void>
  /** Everything that an org has stored, in no order. */
  list(orgId: string): AsyncIterable<StoredBlob>
  /** Throws when nothing can be written now. */
  check(): Promise<void>
}
