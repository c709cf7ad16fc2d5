import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node, parseDocument, visit } from 'yaml'
import type { Report } from './problem.ts'

/** YAML as plain data, and where each of its keys and values stands in the source. */
export interface Yaml {
  data: unknown
  /** The value at a path, else the nearest thing around it. */
  valueAt(path: readonly PropertyKey[]): Stretch
  /** The key that a path ends with. */
  keyAt(path: readonly PropertyKey[]): Stretch
  has(path: readonly PropertyKey[]): boolean
}

interface Stretch {
  start: number
  end: number
}

/** Values that aliases may stand for in all: a bomb multiplies them, a person shares a handful. */
const mostValues = 20_000

/** Parses one YAML document that stands at `start` of the source; undefined, with S009 reported, where it is none. */
export function readYaml(text: string, start: number, report: Report): Yaml | undefined {
  const document = parseDocument(text, { prettyErrors: false, strict: true, uniqueKeys: true, logLevel: 'silent' })
  const found = [...document.errors, ...document.warnings]
  for (const { message, pos, code } of found) {
    const told =
      code === 'DUPLICATE_KEY' ? 'This key stands here twice.' : `The front matter is not YAML: ${firstLine(message)}.`
    const end = code === 'DUPLICATE_KEY' ? keyEnd(text, pos[0]) : Math.max(pos[1], pos[0] + 1)
    report({
      code: 'MOLAR_S009',
      message: told,
      start: start + pos[0],
      end: start + Math.min(end, text.length),
      suggestions: [],
    })
  }
  if (found.length > 0) return
  const bad = badAlias(document)
  if (bad) {
    report({ code: 'MOLAR_S009', message: bad.message, ...stretch(bad.node, start), suggestions: [] })
    return
  }
  const data = document.contents === null ? {} : document.toJS({ maxAliasCount: -1 })
  return {
    data: data ?? {},
    valueAt: (path) => stretch(nodeAt(document, path), start),
    keyAt: (path) => stretch(keyNode(document, path) ?? nodeAt(document, path), start),
    has: (path) => document.hasIn([...path]),
  }
}

/** An alias inside of what it stands for, or aliases that multiply: walked by hand, with a bound. */
function badAlias(document: Document): { node: Node; message: string } | undefined {
  let values = 0
  const targets = aliasTargets(document)
  const open = new Set<Node>()
  const walk = (node: unknown): { node: Node; message: string } | undefined => {
    if (!isNode(node)) return
    if (++values > mostValues) return { node, message: 'The front matter holds too many values.' }
    if (isAlias(node)) {
      const target = targets.get(node)
      if (!target) return { node, message: 'This alias stands for nothing.' }
      if (open.has(target)) return { node, message: 'This alias stands inside of what it stands for.' }
      return walk(target)
    }
    if (!isMap(node) && !isSeq(node)) return
    if (open.size > 50) return { node, message: 'The front matter is nested too deeply.' }
    open.add(node)
    for (const item of node.items) {
      const bad = isPair(item) ? (walk(item.key) ?? walk(item.value)) : walk(item)
      if (bad) return bad
    }
    open.delete(node)
    return
  }
  return walk(document.contents)
}

/** What each alias stands for, found in one walk: to ask an alias itself walks the document once more. */
function aliasTargets(document: Document): Map<Node, Node> {
  const anchors = new Map<string, Node>()
  const targets = new Map<Node, Node>()
  visit(document, {
    Node(_key, node) {
      const target = isAlias(node) ? anchors.get(node.source) : undefined
      if (target) targets.set(node, target)
      if (!isAlias(node) && node.anchor) anchors.set(node.anchor, node)
    },
  })
  return targets
}

function nodeAt(document: Document, path: readonly PropertyKey[]): Node | null {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node)) return node
  }
  return document.contents
}

function keyNode(document: Document, path: readonly PropertyKey[]): Node | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  const map = isAlias(parent) ? parent.resolve(document) : parent
  if (!isMap(map)) return
  const pair = map.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)))
  return isNode(pair?.key) ? pair.key : undefined
}

function stretch(node: Node | null, start: number): Stretch {
  const range = node?.range
  return range ? { start: start + range[0], end: start + Math.max(range[1], range[0]) } : { start, end: start }
}

/** Behind the key that begins at `at`. */
function keyEnd(text: string, at: number): number {
  let end = at + 1
  while (end < text.length && !': \t\n'.includes(text[end] as string)) end++
  return end
}

function firstLine(message: string): string {
  const line = message.split('\n')[0] as string
  return line.endsWith('.') ? line.slice(0, -1) : line
}
