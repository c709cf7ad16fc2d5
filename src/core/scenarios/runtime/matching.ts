/** Runs of white space become one space; the ends are trimmed. */
export function foldSpace(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** As `foldSpace`, and without regard to case. */
export function foldText(text: string): string {
  return foldSpace(text).toLowerCase()
}

/** A regular expression that is this literal text, whole, in any case and spacing. Linear: only literals and `\s`. */
export function wholeText(text: string): RegExp {
  const words = foldSpace(text)
    .split(' ')
    .map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  return new RegExp(`^\\s*${words.join('\\s+')}\\s*$`, 'i')
}

/**
 * Does a glob match? `*` stays within a segment, `**` crosses; a `**` between two slashes may be no segment at all.
 * Walks all possible positions at once, so the time is at most pattern × text and never explodes.
 */
export function globMatches(pattern: string, text: string, separator = '/'): boolean {
  const tokens = globTokens(pattern)
  let places = spread(new Set([0]), tokens)
  for (const character of text) {
    const next = new Set<number>()
    for (const place of places) {
      const token = tokens[place]
      if (token === undefined) continue
      if (token === '**' || (token === '*' && character !== separator)) next.add(place)
      else if (token !== '*' && token === character) next.add(place + 1)
    }
    places = spread(next, tokens)
    if (places.size === 0) return false
  }
  return places.has(tokens.length)
}

function globTokens(pattern: string): string[] {
  const tokens: string[] = []
  for (const character of pattern) {
    if (character !== '*') tokens.push(character)
    else if (tokens.at(-1) === '**') continue
    else if (tokens.at(-1) === '*') tokens[tokens.length - 1] = '**'
    else tokens.push('*')
  }
  return tokens
}

// A star may stand for nothing, and "/**/" for one slash: those places are reached without a character.
function spread(places: Set<number>, tokens: string[]): Set<number> {
  for (const place of places) {
    if (tokens[place] === '*' || tokens[place] === '**') places.add(place + 1)
    if (tokens[place] === '**' && tokens[place - 1] === '/' && tokens[place + 1] === '/') places.add(place + 2)
  }
  return places
}

interface UrlParts {
  origin: string
  path: string
  query: string | undefined
  hash: string | undefined
}

function urlParts(text: string): UrlParts {
  const hashAt = text.indexOf('#')
  const hash = hashAt < 0 ? undefined : text.slice(hashAt)
  const rest = hashAt < 0 ? text : text.slice(0, hashAt)
  const queryAt = rest.indexOf('?')
  const query = queryAt < 0 ? undefined : rest.slice(queryAt)
  const place = queryAt < 0 ? rest : rest.slice(0, queryAt)
  const scheme = place.indexOf('://')
  const slash = scheme < 0 ? 0 : place.indexOf('/', scheme + 3)
  if (scheme < 0) return { origin: '', path: place, query, hash }
  if (slash < 0) return { origin: place, path: '/', query, hash }
  return { origin: place.slice(0, slash), path: place.slice(slash), query, hash }
}

function decoded(text: string): string {
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}

/** A glob over path and query. Query and hash are compared only if the pattern has one, the origin only if it is absolute. */
export function urlMatches(pattern: string, url: string): boolean {
  const wanted = urlParts(pattern)
  const given = urlParts(url)
  if (wanted.origin !== '' && !globMatches(wanted.origin.toLowerCase(), given.origin.toLowerCase())) return false
  if (!partMatches(wanted.path, given.path, '/')) return false
  if (wanted.query !== undefined && !partMatches(wanted.query, given.query ?? '?', '')) return false
  return wanted.hash === undefined || partMatches(wanted.hash, given.hash ?? '#', '')
}

function partMatches(pattern: string, text: string, separator: string): boolean {
  return globMatches(pattern, text, separator) || globMatches(decoded(pattern), decoded(text), separator)
}

/** The whole URL where the wanted one is absolute, else path, query and hash. */
export function urlIs(wanted: string, url: string): boolean {
  const shown = comparedUrl(wanted, url)
  return shown === wanted || decoded(shown) === decoded(wanted)
}

/** The part of a URL that is set against what was wanted. */
export function comparedUrl(wanted: string, url: string): string {
  if (wanted.includes('://')) return !wanted.endsWith('/') && url === `${wanted}/` ? wanted : url
  const { path, query, hash } = urlParts(url)
  return path + (query ?? '') + (hash ?? '')
}
