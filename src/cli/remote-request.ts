import type { Command, Method, Route } from '../core/command.ts'

export interface Request {
  method: Method
  /** With its query. */
  path: string
  body: string | undefined
  headers: Record<string, string>
  /** How the route's answer differs from the output. */
  route: Pick<Route, 'unwrap' | 'envelope'>
}

/** A command and its input as a request on the route that says most. */
export function writeRequest(command: Command, input: Record<string, unknown>): Request {
  const route = [...command.routes].sort((a, b) => worth(b) - worth(a))[0]!
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  const path = route.path.replace(/\{(\w+)\}/g, (_braces, name: string) => encodeURIComponent(String(input[name])))
  const rest = Object.entries(input).filter(
    ([name, value]) => !inPath.includes(name) && !(name in route.fixed) && value !== undefined,
  )
  const bare = route.method === 'GET' || route.method === 'DELETE'
  const query = bare && rest.length > 0 ? `?${writeQuery(rest)}` : ''
  return {
    method: route.method,
    path: path + query,
    body: bare ? undefined : JSON.stringify(Object.fromEntries(rest)),
    headers: {},
    route,
  }
}

const worth = (route: Route): number =>
  (route.attachment === undefined ? 8 : 0) +
  (route.unwrap === undefined ? 4 : 0) +
  (Object.keys(route.fixed).length === 0 ? 2 : 0) +
  (route.stream ? 0 : 1)

function writeQuery(fields: [string, unknown][]): string {
  const query = new URLSearchParams()
  for (const [name, value] of fields) {
    for (const one of Array.isArray(value) ? value : [value]) {
      query.append(name, typeof one === 'object' && one !== null ? JSON.stringify(one) : String(one))
    }
  }
  return query.toString()
}
