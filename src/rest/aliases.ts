import type { Route } from '../core/command.ts'

/**
 * Second paths of command routes, and since when. They answer the same, and are left out of openapi.json. The sources
 * disagree about the prefix (the API's pages say /api/v1, the others /v1), so every route has both.
 */
export const prefixAliases = [
  { since: '2026-11-21', from: '/v1/', to: '/api/v1/' },
  { since: '2026-11-21', from: '/api/v1/', to: '/v1/' },
] as const

/** The other paths that lead to this route. */
export function aliasesOf(route: Pick<Route, 'path'>): string[] {
  return prefixAliases
    .filter(({ from }) => route.path.startsWith(from))
    .map(({ from, to }) => to + route.path.slice(from.length))
}
