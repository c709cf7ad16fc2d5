import type { Route } from '../core/command.ts'

/** A second path of a command's route. It answers the same, and is left out of openapi.json. */
export interface PathAlias {
  /** Since when there is one. */
  since: string
  from: string
  to: string
  /** Deprecated: the day on which it goes. Its answers say so, and name the path to use instead. */
  sunset?: string
}

/**
 * The sources disagree about the prefix (the API's pages say /api/v1, the others /v1), so every route has both. The
 * control plane's routes had /cp/ in front before they had /api/v1/.
 */
export const pathAliases: readonly PathAlias[] = [
  { since: '2026-11-21', from: '/v1/', to: '/api/v1/' },
  { since: '2026-11-21', from: '/api/v1/', to: '/v1/' },
  { since: '2026-11-26', from: '/api/v1/', to: '/cp/', sunset: '2027-11-30' },
  { since: '2026-11-26', from: '/auth/', to: '/cp/auth/', sunset: '2027-11-30' },
]

/** The other paths that lead to this route. */
export function aliasesOf(route: Pick<Route, 'path'>): { path: string; alias: PathAlias }[] {
  return pathAliases
    .filter(({ from }) => route.path.startsWith(from))
    .map((alias) => ({ path: alias.to + route.path.slice(alias.from.length), alias }))
}

/** RFC 9745 and RFC 8594: since when a path is deprecated, when it goes, and what stands in its place. */
export function deprecation({ since, from, to, sunset }: PathAlias, url: string): Record<string, string> {
  if (sunset === undefined) return {}
  return {
    deprecation: `@${Date.parse(since) / 1000}`,
    sunset: new Date(sunset).toUTCString(),
    link: `<${from}${url.slice(to.length)}>; rel="successor-version"`,
  }
}
