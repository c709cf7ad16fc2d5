import { fold, isHolding, isShown, type PageNode, type Placed, textOfNode } from './nodes.ts'
import { type NamedNode, quote } from './targets.ts'

/** About 2,700 tokens: with its frame an answer stays below 3,000. */
const budget = 9000
const longestText = 100

interface Line {
  text: string
  /** 1 stays longest. */
  rank: 1 | 2 | 3
}

/** The page as lines: a target each, what it is beside it, indented by the named parts of the page. */
export function renderNodes(
  placed: readonly Placed[],
  named: readonly NamedNode[],
): { outline: string; truncated: boolean } {
  const targets = new Map(named.map((one) => [one.node, one]))
  const lines: Line[] = []
  const said = new Set<string>()
  for (const { node, above } of placed) {
    const indent = '  '.repeat(above.filter(isPart).length)
    const target = targets.get(node)
    if (target) lines.push({ text: indent + lineOf(target), rank: 1 })
    else if (isPart(node)) lines.push({ text: `${indent}${partOf(node)}:`, rank: 2 })
    else if (!isShown(node) && !above.some((one) => targets.has(one) && !isPart(one) && one.role !== 'status')) {
      const text = fold(node.text ?? '')
      if (text === '' || said.has(text) || /^[\d.,\s]{1,3}$/.test(text)) continue
      said.add(text)
      lines.push({ text: `${indent}text ${quote(clip(text, longestText))}`, rank: 3 })
    }
  }
  return fit(lines)
}

/** A part that gets a line of its own and indents what it holds. */
const isPart = (node: PageNode): boolean =>
  isHolding(node) && !['list', 'listitem', 'row', 'table', 'group', 'treeitem', 'article'].includes(node.role)

const partOf = ({ role, name }: PageNode): string =>
  fold(name ?? '') === '' ? role : `${role} ${quote(fold(name ?? ''))}`

function lineOf({ node, target, matches }: NamedNode): string {
  const notes = [
    ...(matches === 1
      ? []
      : [matches === 0 ? 'not matched as it is now' : `${matches} match: narrow it with in … or {nth}`]),
    ...(node.level === undefined ? [] : [`level ${node.level}`]),
    ...(node.disabled ? ['disabled'] : []),
    ...(node.checked ? ['checked'] : []),
    ...(node.selected ? ['selected'] : []),
    ...(node.pressed ? ['pressed'] : []),
    ...(node.expanded === undefined ? [] : [node.expanded ? 'expanded' : 'collapsed']),
    ...(node.role === 'link' && node.url !== undefined && node.url.length <= 40 ? [`to ${node.url}`] : []),
    ...choicesOf(node),
    ...(['alert', 'status', 'dialog'].includes(node.role) && node.name === undefined
      ? [`says ${quote(clip(deepText(node), 80))}`]
      : []),
  ]
  return notes.length > 0 ? `${target}  (${notes.join('; ')})` : target
}

function choicesOf(node: PageNode): string[] {
  if (!['combobox', 'listbox'].includes(node.role)) return []
  const options = (node.children ?? []).flatMap((one) =>
    typeof one !== 'string' && one.role === 'option' ? [one] : [],
  )
  if (options.length === 0) return []
  const names = options.slice(0, 8).map((option) => `${quote(textOfNode(option))}${option.selected ? '*' : ''}`)
  return [`choices ${names.join(', ')}${options.length > 8 ? ` and ${options.length - 8} more` : ''}`]
}

const deepText = (node: PageNode): string => fold([node.text ?? '', ...(node.children ?? []).map(textOfNode)].join(' '))
const clip = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

/** Leaves out texts from the end, then parts, then targets, until the rest fits. */
function fit(lines: readonly Line[]): { outline: string; truncated: boolean } {
  const kept = [...lines]
  let size = kept.reduce((sum, { text }) => sum + text.length + 1, 0)
  for (const rank of [3, 2, 1] as const) {
    for (let at = kept.length - 1; at >= 0 && size > budget; at--) {
      if (kept[at]!.rank !== rank) continue
      size -= kept[at]!.text.length + 1
      kept.splice(at, 1)
    }
  }
  return { outline: kept.map(({ text }) => text).join('\n'), truncated: kept.length < lines.length }
}
