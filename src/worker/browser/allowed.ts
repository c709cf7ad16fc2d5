/** An origin (`https://app.example`, `http://localhost:3000`) or one with a wildcard host (`https://*.example.com`), as Chromium's own list of exceptions writes them. */
export type OriginPattern = string

const inner = new Set(['data:', 'blob:', 'about:'])
const socketSchemes: Record<string, string> = { 'ws:': 'http:', 'wss:': 'https:' }
const ports: Record<string, string> = { 'http:': '80', 'https:': '443' }

/** True when a page held to `allowed` may load `url`. No file:, no chrome:, no view-source: whatever is allowed. */
export function isAllowed(url: string, allowed: readonly OriginPattern[]): boolean {
  if (!URL.canParse(url)) return false
  const parsed = new URL(url)
  if (parsed.protocol === 'blob:' && parsed.pathname.startsWith('http')) return isAllowed(parsed.pathname, allowed)
  if (inner.has(parsed.protocol)) return true
  const protocol = socketSchemes[parsed.protocol] ?? parsed.protocol
  if (!(protocol in ports)) return false
  return allowed.some((pattern) => matches(pattern, protocol, parsed.hostname, parsed.port || ports[protocol]!))
}

function matches(pattern: OriginPattern, protocol: string, host: string, port: string): boolean {
  const wanted = parsePattern(pattern)
  if (wanted.protocol !== protocol || wanted.port !== port) return false
  return wanted.host.startsWith('*.') ? host.endsWith(wanted.host.slice(1)) : wanted.host === host
}

/** Throws a TypeError on what is no origin. */
export function parsePattern(pattern: OriginPattern): { protocol: string; host: string; port: string } {
  const wild = /^(https?:\/\/)\*\./.exec(pattern)
  const url = new URL(wild ? pattern.replace('*.', 'any.') : pattern)
  if (!(url.protocol in ports)) throw new TypeError(`Not an http or https origin: ${pattern}`)
  return {
    protocol: url.protocol,
    host: wild ? `*.${url.hostname.slice(4)}` : url.hostname,
    port: url.port || ports[url.protocol]!,
  }
}
