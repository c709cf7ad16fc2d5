import type { BlockContent, Code, DefinitionContent, Heading, Nodes, RootContent } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter'
import { frontmatter } from 'micromark-extension-frontmatter'
import type { Fence } from './fences.ts'
import { plainBlocks } from './plain.ts'
import { foldSpace } from './text.ts'

interface Stretch {
  start: number
  end: number
}

/** A block of Markdown, as far as the language tells blocks apart; in offsets of the source. */
export type Block =
  | (Stretch & { type: 'heading'; depth: number; text: string })
  | (Stretch & { type: 'list'; items: Block[][] })
  | (Stretch & { type: 'code'; fence: Fence })
  | (Stretch & { type: 'yaml' | 'paragraph' | 'other' })

// Steps are read from the source, so inline Markdown is not wanted: it would eat `*` and `_`, and some of it is not linear.
const blocksOnly = {
  disable: {
    null: [
      'attention',
      'autolink',
      'characterEscape',
      'characterReference',
      'codeIndented',
      'codeText',
      'definition',
      'hardBreakEscape',
      'htmlText',
      'labelEnd',
      'labelStartImage',
      'labelStartLink',
      // Underlined headings: a paragraph before `---` is no section, and many of them cost the square of their number.
      'setextUnderline',
    ],
  },
}
const options = { extensions: [frontmatter(), blocksOnly], mdastExtensions: [frontmatterFromMarkdown()] }

/** The blocks of a canonical source, as CommonMark has them. Its parser costs most of a compilation, so a plain source goes without. */
export function readBlocks(source: string): Block[] {
  return plainBlocks(source) ?? commonMarkBlocks(source)
}

export function commonMarkBlocks(source: string): Block[] {
  return fromMarkdown(source, options).children.map((node) => blockOf(source, node))
}

function blockOf(source: string, node: RootContent | BlockContent | DefinitionContent): Block {
  const place = placeOf(node)
  if (node.type === 'heading')
    return { type: 'heading', ...place, depth: node.depth, text: foldSpace(textOf(source, node)) }
  if (node.type === 'code') return { type: 'code', ...place, fence: fenceOf(source, node) }
  if (node.type === 'yaml' || node.type === 'paragraph') return { type: node.type, ...place }
  if (node.type !== 'list') return { type: 'other', ...place }
  const items = node.children.map((item): Block[] =>
    // An item that holds nothing still has a place.
    item.children.length === 0
      ? [{ type: 'other', ...placeOf(item) }]
      : item.children.map((child) => blockOf(source, child)),
  )
  return { type: 'list', ...place, items }
}

/** A heading's inner text as it stands in the source. */
function textOf(source: string, { children }: Heading): string {
  const [first, last] = [children[0], children.at(-1)]
  return first && last ? source.slice(placeOf(first).start, placeOf(last).end) : ''
}

/** The block's lines with their places: mdast takes the indentation off, the source still has it. */
function fenceOf(source: string, node: Code): Fence {
  const { start, end } = placeOf(node)
  const lines: Fence['lines'] = []
  let lineStart = source.indexOf('\n', start) + 1
  for (const text of node.value === '' ? [] : node.value.split('\n')) {
    const lineEnd = source.indexOf('\n', lineStart)
    lines.push({ text, start: Math.max(lineStart, lineEnd - text.length) })
    lineStart = lineEnd + 1
  }
  return { language: (node.lang ?? '').toLowerCase(), lines, start, end }
}

function placeOf(node: Nodes): Stretch {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 }
}
