import { S3Error, type S3Limits, send } from './request.ts'
import type { S3Place } from './sign.ts'

/** Larger bodies go in parts of this size; stores take parts of 5 MiB or more, the last one excepted. */
export const partSize = 8 * 2 ** 20
const atOnce = 3

/** A large object in parts, three at a time. Parts of an upload that fails are given up, so that nobody pays for them. */
export async function putInParts(place: S3Place, key: string, bytes: Uint8Array, limits: S3Limits): Promise<void> {
  const begun = await (await send(place, { method: 'POST', key, query: { uploads: '' } }, limits)).body.text()
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(begun)?.[1]
  if (uploadId === undefined) throw new Error('The blob store began no multipart upload.')
  try {
    const tags = await putParts(place, key, bytes, uploadId, limits)
    const parts = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`)
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
    const answer = await send(place, { method: 'POST', key, query: { uploadId }, body }, limits)
    // A store that needs long says 200 at once and may still fail in the body.
    const text = await answer.body.text()
    if (answer.statusCode === 404 || text.includes('<Error>')) throw new S3Error(`POST ${key}`, answer.statusCode, text)
  } catch (error) {
    await send(place, { method: 'DELETE', key, query: { uploadId } }, limits)
      .then((answer) => answer.body.dump())
      .catch(() => undefined)
    throw error
  }
}

async function putParts(place: S3Place, key: string, bytes: Uint8Array, uploadId: string, limits: S3Limits) {
  const tags: string[] = new Array(Math.ceil(bytes.length / partSize))
  let next = 0
  const lane = async () => {
    for (let index = next++; index < tags.length; index = next++) {
      const body = bytes.subarray(index * partSize, (index + 1) * partSize)
      const query = { partNumber: String(index + 1), uploadId }
      const answer = await send(place, { method: 'PUT', key, query, body }, limits)
      const text = await answer.body.text()
      const tag = answer.headers.etag
      if (answer.statusCode === 404 || typeof tag !== 'string') throw new S3Error(`PUT ${key}`, answer.statusCode, text)
      tags[index] = tag
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, tags.length) }, lane))
  return tags
}
