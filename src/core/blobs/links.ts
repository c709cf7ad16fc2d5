import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SigningKeys } from '../keyring.ts'
import type { BlobStore } from './blob-store.ts'

/** How long a presigned URL lives, in seconds. */
export const linkSeconds = 3600

export interface LinkMaker {
  publicUrl: string | null
  keyring: { links: SigningKeys }
  blobs: BlobStore
}

/** A URL that reads one blob without a credential until it expires: the blob store's own where it has such, a file URL where no server runs. */
export async function blobLink(
  from: LinkMaker,
  blob: { orgId: string; sha256: string; name: string; mediaType: string },
): Promise<string> {
  if (from.publicUrl === null || from.blobs.presigns) {
    const { name, mediaType } = blob
    return (await from.blobs.link(blob.orgId, blob.sha256, { name, mediaType, seconds: linkSeconds })) ?? ''
  }
  const expires = Math.ceil(Date.now() / 1000) + linkSeconds
  const query = new URLSearchParams({ name: blob.name, type: blob.mediaType, expires: String(expires) })
  query.set('signature', sign(from.keyring.links()[0], blob.orgId, blob.sha256, query).toString('base64url'))
  return `${from.publicUrl}/blobs/${blob.orgId}/${blob.sha256}?${query}`
}

/** Whether a presigned URL's query was signed here for this blob and has not run out. */
export function isLinkValid(keys: SigningKeys, orgId: string, sha256: string, query: URLSearchParams): boolean {
  const given = Buffer.from(query.get('signature') ?? '', 'base64url')
  const isSigned = keys().some((key) => {
    const wanted = sign(key, orgId, sha256, query)
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  })
  return isSigned && Number(query.get('expires')) * 1000 > Date.now()
}

const sign = (key: Buffer, orgId: string, sha256: string, query: URLSearchParams): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([orgId, sha256, query.get('name'), query.get('type'), query.get('expires')]))
    .digest()
