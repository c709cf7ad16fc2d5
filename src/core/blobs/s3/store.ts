import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { BlobStore, StoredBlob } from '../blob-store.ts'
import { isShown } from '../shown.ts'
import { partSize, putInParts } from './multipart.ts'
import { S3Error, type S3Limits, send, usualLimits } from './request.ts'
import { presign, type S3Place, type S3Request } from './sign.ts'

export interface S3Options extends S3Place {
  /** Before every key; '' or with a trailing slash. */
  prefix: string
}

/** A stored object this young is as good as stored again. */
const freshMs = 10 * 60_000
/** Objects that are deleted at the same time. */
const atOnce = 16

/** Blobs in a bucket of any S3-compatible store: prefix/org/ab/abcdef…. */
export function s3Blobs(options: S3Options, limits: S3Limits = usualLimits): BlobStore {
  const keyOf = (orgId: string, sha256: string) => `${options.prefix}${orgId}/${sha256.slice(0, 2)}/${sha256}`
  const ask = (request: S3Request) => send(options, request, limits)

  async function head(orgId: string, sha256: string): Promise<StoredBlob | undefined> {
    const { statusCode, headers, body } = await ask({ method: 'HEAD', key: keyOf(orgId, sha256) })
    await body.dump()
    if (statusCode === 404) return undefined
    return { sha256, size: Number(headers['content-length']), storedAt: new Date(String(headers['last-modified'])) }
  }

  async function write(key: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > partSize) return putInParts(options, key, bytes, limits)
    const answer = await ask({ method: 'PUT', key, body: bytes })
    const text = await answer.body.text()
    if (answer.statusCode === 404) throw new S3Error(`PUT ${key}`, 404, text)
  }

  async function* list(orgId: string): AsyncIterable<StoredBlob> {
    for (let token: string | undefined; ; ) {
      const query = {
        'list-type': '2',
        prefix: `${options.prefix}${orgId}/`,
        ...(token && { 'continuation-token': token }),
      }
      const answer = await ask({ method: 'GET', key: '', query })
      const text = await answer.body.text()
      if (answer.statusCode === 404) throw new S3Error('GET the bucket', 404, text)
      yield* readList(text)
      token = fromXml(/<NextContinuationToken>([^<]+)</.exec(text)?.[1])
      if (token === undefined) return
    }
  }

  const remove = async (orgId: string, sha256: string) =>
    void (await (await ask({ method: 'DELETE', key: keyOf(orgId, sha256) })).body.dump())

  return {
    presigns: true,
    async put(orgId, bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      // Small ones are sent again sooner than asked for; either way their age begins anew.
      const there = bytes.length > 2 ** 20 ? await head(orgId, sha256) : undefined
      if (!there || Date.now() - there.storedAt.getTime() > freshMs) await write(keyOf(orgId, sha256), bytes)
      return sha256
    },
    size: async (orgId, sha256) => (await head(orgId, sha256))?.size,
    async get(orgId, sha256, range) {
      const headers: Record<string, string> = range ? { range: `bytes=${range.start}-${range.end}` } : {}
      const { statusCode, body } = await ask({ method: 'GET', key: keyOf(orgId, sha256), headers })
      if (statusCode !== 404) return body as Readable
      await body.dump()
      return undefined
    },
    async link(orgId, sha256, { name, mediaType, seconds }) {
      const way = isShown(mediaType) ? 'inline' : 'attachment'
      const query = {
        'response-content-type': mediaType,
        'response-content-disposition': `${way}; filename="${name.replace(/[^\w.-]/g, '_')}"`,
      }
      return presign(options, keyOf(orgId, sha256), { seconds, query })
    },
    async delete(orgId, sha256, storedBefore) {
      const there = storedBefore && (await head(orgId, sha256))
      if (there && there.storedAt >= storedBefore) return false
      await remove(orgId, sha256)
      return true
    },
    async deleteAll(orgId) {
      let some: string[] = []
      const removeSome = async () => void (await Promise.all(some.map((sha256) => remove(orgId, sha256))))
      for await (const { sha256 } of list(orgId)) {
        if (some.push(sha256) < atOnce) continue
        await removeSome()
        some = []
      }
      await removeSome()
    },
    list,
    check: () => write(`${options.prefix}.probe`, Buffer.from('ok')),
  }
}

function readList(xml: string): StoredBlob[] {
  return [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].flatMap(([, entry = '']) => {
    const field = (name: string) => new RegExp(`<${name}>([^<]*)<`).exec(entry)?.[1] ?? ''
    const sha256 = /([0-9a-f]{64})$/.exec(field('Key'))?.[1]
    return sha256 ? [{ sha256, size: Number(field('Size')), storedAt: new Date(field('LastModified')) }] : []
  })
}

const fromXml = (text: string | undefined): string | undefined =>
  text?.replace(/&(amp|lt|gt|quot|#39|apos);/g, (_, name: string) => {
    const chars: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", apos: "'" }
    return chars[name] ?? ''
  })
