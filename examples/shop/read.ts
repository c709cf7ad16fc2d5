import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.ts'

const most = 2_000_000

/** The JSON object or form fields of a request; `{}` where nothing was sent. */
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= most) chunks.push(chunk)
  }
  // Read to its end all the same: leaving the loop early would cut the connection under the answer.
  if (size > most) throw new Refusal(413, 'too_large', 'That is too large: at most 2 MB.')
  const text = Buffer.concat(chunks).toString('utf8')
  if (!text) return {}
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
    return Object.fromEntries(new URLSearchParams(text))
  try {
    const value: unknown = JSON.parse(text)
    if (value && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  throw new Refusal(400, 'not_json', 'Send a JSON object.')
}
