import { createHash, createHmac } from 'node:crypto'

/** Where an S3-compatible store is, and as whom. Buckets stand in the path. */
export interface S3Place {
  /** Such as https://s3.eu-central-1.amazonaws.com, without a trailing slash. */
  endpoint: string
  bucket: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Within the bucket; '' is the bucket itself. */
  key: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Uint8Array
}

// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html). Written out: it
// is one screen of HMACs, while the smallest packages for it wrap fetch, which bounds neither headers nor idle bodies.

/** The URL and all headers of a request signed at `now`. */
export function signRequest(
  place: S3Place,
  request: S3Request,
  now = new Date(),
): { url: string; headers: Record<string, string> } {
  const url = urlOf(place, request.key)
  const stamp = stampOf(now)
  const payload = sha256(request.body ?? '')
  const headers: Record<string, string> = {
    ...request.headers,
    host: url.host,
    'x-amz-content-sha256': payload,
    'x-amz-date': stamp,
  }
  const names = Object.keys(headers).sort()
  const query = canonicalQuery(request.query ?? {})
  const lines = names.map((name) => `${name}:${headers[name]?.trim()}\n`).join('')
  const signed = names.join(';')
  const canonical = [request.method, url.pathname, query, lines, signed, payload].join('\n')
  const credential = `${place.accessKeyId}/${scopeOf(place, stamp)}`
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature(place, stamp, canonical)}`
  return { url: `${url.href}${query && `?${query}`}`, headers }
}

/** A URL that reads one object without credentials for `seconds`, a week at most. */
export function presign(
  place: S3Place,
  key: string,
  { seconds, query = {} }: { seconds: number; query?: Record<string, string> },
  now = new Date(),
): string {
  const url = urlOf(place, key)
  const stamp = stampOf(now)
  const all = canonicalQuery({
    ...query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${place.accessKeyId}/${scopeOf(place, stamp)}`,
    'X-Amz-Date': stamp,
    'X-Amz-Expires': String(seconds),
    'X-Amz-SignedHeaders': 'host',
  })
  const canonical = ['GET', url.pathname, all, `host:${url.host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  return `${url.href}?${all}&X-Amz-Signature=${signature(place, stamp, canonical)}`
}

function urlOf({ endpoint, bucket }: S3Place, key: string): URL {
  const path = [bucket, ...key.split('/')].filter((part, index) => index === 0 || part !== '').map(encode)
  return new URL(`${endpoint}/${path.join('/')}`)
}

const stampOf = (now: Date): string => now.toISOString().replace(/[-:]|\.\d+/g, '')
const scopeOf = ({ region }: S3Place, stamp: string): string => `${stamp.slice(0, 8)}/${region}/s3/aws4_request`

function signature(place: S3Place, stamp: string, canonical: string): string {
  const text = ['AWS4-HMAC-SHA256', stamp, scopeOf(place, stamp), sha256(canonical)].join('\n')
  const parts = [stamp.slice(0, 8), place.region, 's3', 'aws4_request']
  const key = parts.reduce<Buffer>((last, part) => hmac(last, part), Buffer.from(`AWS4${place.secretAccessKey}`))
  return hmac(key, text).toString('hex')
}

const canonicalQuery = (query: Record<string, string>): string =>
  Object.entries(query)
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
