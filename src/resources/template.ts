/** A resource's URI template: RFC 6570 level 1 (`{id}`) in the path, and `{?a,b}` at its end. */
export interface UriTemplate {
  template: string
  /** Without variables in its path a template names one resource, at this URI. */
  fixed: string | undefined
  /** The variables of a URI of this template; undefined when it is not one. */
  match(uri: string): Record<string, string> | undefined
}

/** Throws when the template uses more of RFC 6570 than that. */
export function uriTemplate(template: string): UriTemplate {
  const [, path = '', queryNames = ''] = /^([^?]*?)(?:\{\?([\w,]+)\})?$/.exec(template) ?? []
  if (path === '') throw notOne(template)
  const names: string[] = []
  const pattern = path.split(/(\{\w+\})/).map((part) => {
    if (!/^\{\w+\}$/.test(part)) return literal(part, template)
    names.push(part.slice(1, -1))
    return '([^/?#]+)'
  })
  const whole = new RegExp(`^${pattern.join('')}(?:\\?([^#]*))?$`)
  const allowed = new Set(queryNames.split(',').filter((name) => name !== ''))
  return {
    template,
    fixed: names.length === 0 ? path : undefined,
    match: (uri) => {
      const found = whole.exec(uri)
      return found ? readVariables(names, found.slice(1, -1), allowed, found.at(-1)) : undefined
    },
  }
}

function literal(part: string, template: string): string {
  if (/[{}]/.test(part)) throw notOne(template)
  return part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
}

const notOne = (template: string) =>
  new Error(`${template} is not a URI template of level 1 with an optional {?…} at its end`)

function readVariables(names: string[], values: string[], allowed: Set<string>, query: string | undefined) {
  const variables: Record<string, string> = {}
  try {
    for (const [at, name] of names.entries()) variables[name] = decodeURIComponent(values[at]!)
  } catch {
    return undefined // a broken percent-escape names nothing
  }
  for (const [name, value] of new URLSearchParams(query ?? '')) {
    if (!allowed.has(name)) return undefined
    variables[name] = value
  }
  return variables
}
