import { isFields } from './passwords.ts'

const readable = /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:json|xml|javascript)|application\/x-www-form-urlencoded)/i
const largestText = 64 * 1024
const largestTotal = 4 * 2 ** 20

/**
 * A HAR of what a trace recorded of the network: Playwright keeps each exchange as a HAR entry, so a second recording
 * would cost time and tell nothing new. Texts of up to 64 KiB are put in, 4 MiB in all; undefined where nothing was sent.
 */
export function makeHar(entries: readonly unknown[], body: (name: string) => Buffer | undefined): Buffer | undefined {
  let left = largestTotal
  const withText = (part: unknown): unknown => {
    if (!isFields(part)) return part
    const { _sha1, _file, ...rest } = part
    const name = typeof _file === 'string' ? _file : typeof _sha1 === 'string' ? `resources/${_sha1}` : undefined
    const bytes = name !== undefined && readable.test(String(part.mimeType)) ? body(name) : undefined
    if (!bytes || bytes.length > largestText || bytes.length > left) return rest
    left -= bytes.length
    return { ...rest, text: bytes.toString('utf8') }
  }
  const all = entries.flatMap((event) => {
    if (!isFields(event) || event.type !== 'resource-snapshot' || !isFields(event.snapshot)) return []
    const { request, response } = event.snapshot
    return [
      {
        ...event.snapshot,
        ...(isFields(request) && { request: { ...request, postData: withText(request.postData) } }),
        ...(isFields(response) && { response: { ...response, content: withText(response.content) } }),
      },
    ]
  })
  if (all.length === 0) return undefined
  const log = { version: '1.2', creator: { name: 'Molar', version: '1' }, pages: [], entries: all }
  return Buffer.from(`${JSON.stringify({ log })}\n`)
}
