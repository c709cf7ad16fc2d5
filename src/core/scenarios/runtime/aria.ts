/** A node of an aria snapshot. `text` is the role of loose text. */
export interface AriaNode {
  role: string
  name?: string
  text?: string
  /** `[checked]`, `[level=2]` and the like. */
  marks: string[]
  /** `/url`, `/placeholder`, `/children`. */
  properties: Record<string, string>
  children: AriaNode[]
}

/** All nodes of a snapshot, in page order. */
export function ariaNodes(snapshot: string): AriaNode[] {
  const all: AriaNode[] = []
  const walk = (node: AriaNode) => {
    all.push(node)
    node.children.forEach(walk)
  }
  parseAria(snapshot).children.forEach(walk)
  return all
}

/** Reads the indented list that Playwright writes and a scenario holds. Throws an Error with the line that is not one. */
export function parseAria(text: string): AriaNode {
  const root: AriaNode = { role: 'fragment', marks: [], properties: {}, children: [] }
  const open: { indent: number; node: AriaNode }[] = [{ indent: -1, node: root }]
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    const indent = line.length - line.trimStart().length
    const body = line.trim()
    if (!body.startsWith('- ') && body !== '-')
      throw new Error(`"${body}" is not a line of an aria snapshot: it must start with "- ".`)
    while (open.length > 1 && open.at(-1)!.indent >= indent) open.pop()
    const parent = open.at(-1)!.node
    const { key, value } = splitAriaLine(body.slice(1).trim())
    if (key.startsWith('/')) {
      parent.properties[key.slice(1)] = value ?? ''
      continue
    }
    const node = ariaNode(key, value)
    parent.children.push(node)
    open.push({ indent, node })
  }
  return root
}

function ariaNode(key: string, value: string | undefined): AriaNode {
  const node = readAriaKey(key)
  if (node.role === 'text') node.text = value ?? node.name ?? ''
  else if (value !== undefined && value !== '')
    node.children.push({ role: 'text', text: value, marks: [], properties: {}, children: [] })
  return node
}

// A line is `key`, `key:` or `key: value`; either may stand in quotes, as YAML asks where they hold marks of its own.
function splitAriaLine(line: string): { key: string; value: string | undefined } {
  if (line.startsWith("'")) {
    const end = closingQuote(line, "'")
    return {
      key: line.slice(1, end).replaceAll("''", "'"),
      value: ariaScalar(line.slice(end + 1).replace(/^\s*:/, '')),
    }
  }
  let quoted = false
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '\\') at += 1
    else if (line[at] === '"') quoted = !quoted
    else if (!quoted && line[at] === ':' && (at + 1 === line.length || line[at + 1] === ' ')) {
      return { key: line.slice(0, at).trim(), value: ariaScalar(line.slice(at + 1)) }
    }
  }
  return { key: line, value: undefined }
}

function closingQuote(line: string, quote: string): number {
  let at = 1
  while (at < line.length && (line[at] !== quote || line[at + 1] === quote)) at += line[at] === quote ? 2 : 1
  return at
}

function ariaScalar(text: string): string | undefined {
  const bare = text.trim()
  if (bare === '') return undefined
  if (bare.length > 1 && bare.startsWith("'") && bare.endsWith("'")) return bare.slice(1, -1).replaceAll("''", "'")
  if (bare.length > 1 && bare.startsWith('"') && bare.endsWith('"')) return unquoteAria(bare)
  return bare
}

function unquoteAria(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted.slice(1, -1)
  }
}

function readAriaKey(key: string): AriaNode {
  const roleEnd = key.search(/[\s"[]/)
  const role = roleEnd < 0 ? key : key.slice(0, roleEnd)
  if (!/^[a-z]+$/.test(role)) throw new Error(`"${key}" does not start with an ARIA role.`)
  const node: AriaNode = { role, marks: [], properties: {}, children: [] }
  let rest = roleEnd < 0 ? '' : key.slice(roleEnd).trim()
  if (rest.startsWith('/'))
    throw new Error(`"${key}": regular expressions are not supported; leave the name out, or write it.`)
  if (rest.startsWith('"')) {
    let end = 1
    while (end < rest.length && rest[end] !== '"') end += rest[end] === '\\' ? 2 : 1
    node.name = unquoteAria(rest.slice(0, end + 1))
    rest = rest.slice(end + 1)
  }
  node.marks = [...rest.matchAll(/\[([^\]]*)\]/g)].map((mark) => mark[1]!.trim())
  return node
}

/** Does any place of the page's snapshot match the template? Order is kept, nodes may be left out, names compare whole. */
export function ariaMatches(template: AriaNode, page: AriaNode): boolean {
  if (childrenMatch(template, page)) return true
  const [only] = template.children
  // A template of one node may stand anywhere, as may a list of nodes under one parent.
  if (template.children.length === 1 && only && page.children.some((node) => nodeMatches(only, node))) return true
  return page.children.some((node) => ariaMatches(template, node))
}

function nodeMatches(template: AriaNode, node: AriaNode): boolean {
  if (template.role !== node.role) return false
  if (template.role === 'text') return ariaText(template.text) === ariaText(node.text)
  if (template.name !== undefined && ariaText(template.name) !== ariaText(node.name)) return false
  if (!template.marks.every((mark) => markHolds(mark, node.marks))) return false
  const properties = Object.entries(template.properties).filter(([key]) => key !== 'children')
  return properties.every(([key, value]) => node.properties[key] === value) && childrenMatch(template, node)
}

function markHolds(mark: string, marks: string[]): boolean {
  const plain = (text: string) => text.replace(/\s/g, '').replace(/=true$/, '')
  if (mark.replace(/\s/g, '').endsWith('=false')) return !marks.map(plain).includes(plain(mark).replace(/=false$/, ''))
  return marks.map(plain).includes(plain(mark))
}

function ariaText(text: string | undefined): string {
  return (text ?? '').replace(/\s+/g, ' ').trim()
}

function childrenMatch(template: AriaNode, node: AriaNode): boolean {
  const mode = template.properties.children ?? 'contain'
  if (mode !== 'contain') {
    return (
      template.children.length === node.children.length &&
      template.children.every((one, at) => nodeMatches(one, node.children[at]!))
    )
  }
  let next = 0
  for (const child of node.children) {
    const wanted = template.children[next]
    if (wanted === undefined) return true
    if (nodeMatches(wanted, child)) next += 1
  }
  return next >= template.children.length
}
