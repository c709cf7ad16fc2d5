import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { unzipSync, zipSync } from 'fflate'
import type { Redactor } from './redact.ts'

const pixels = /\.(?:jpe?g|png|webp|gif|ico|woff2?|ttf|otf|mp4|webm)$/i
const unknown = /(?:\.(?:dat|bin|br)|\/[^.]*)$/
const largestInside = 64 * 2 ** 20
const limits = { maxOutputLength: largestInside }
const removed = Buffer.from('[removed: this body held a secret]')

/** A stored body without secrets; the very same buffer when it held none. Looks into gzip, zip, zlib and Brotli as well. */
export function scrubBody(name: string, body: Buffer, redact: Redactor): Buffer {
  // Changing pixels would break the picture, and no secret stands in it as bytes, save in its metadata.
  if (pixels.test(name)) return redact.holds(body) ? Buffer.alloc(0) : body
  try {
    return scrubPacked(name, body, redact) ?? redact.bytes(body)
  } catch {
    // It only looked like an archive, or is a broken or huge one.
    return redact.bytes(body)
  }
}

function scrubPacked(name: string, body: Buffer, redact: Redactor): Buffer | undefined {
  if (body.length < 4) return undefined
  if (body[0] === 0x1f && body[1] === 0x8b) {
    const plain = gunzipSync(body, limits)
    const clean = scrubBody('', plain, redact)
    return clean === plain ? body : gzipSync(clean)
  }
  if (body.readUInt32BE(0) === 0x504b0304) return scrubZip(body, redact)
  const inside = inflated(name, body)
  if (!inside) return undefined
  return redact.bytes(inside) === inside ? body : removed
}

function scrubZip(body: Buffer, redact: Redactor): Buffer {
  let total = 0
  const entries = unzipSync(body, {
    filter({ originalSize }) {
      total += originalSize
      return total <= largestInside
    },
  })
  if (total > largestInside) return removed
  let changed = false
  const clean = Object.entries(entries).map(([name, bytes]): [string, Uint8Array] => {
    const before = Buffer.from(bytes)
    const after = scrubBody(name, before, redact)
    if (after !== before) changed = true
    return [redact.text(name), after]
  })
  return changed ? Buffer.from(zipSync(Object.fromEntries(clean))) : body
}

/** zlib tells itself by its first bytes; Brotli by nothing, so only what is nameless is tried. */
function inflated(name: string, body: Buffer): Buffer | undefined {
  try {
    if (body[0] === 0x78 && body.readUInt16BE(0) % 31 === 0) return inflateSync(body, limits)
    return unknown.test(name) && body.length < 2 ** 20 ? brotliDecompressSync(body, limits) : undefined
  } catch {
    return undefined
  }
}
