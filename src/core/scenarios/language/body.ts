import type { Code, List, ListItem, Nodes, RootContent } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter'
import { frontmatter } from 'micromark-extension-frontmatter'
import type { Section } from '../plan.ts'
import type { Fence } from './fences.ts'
import { nearest } from './nearest.ts'
import type { Report } from './problem.ts'
import type { StepSource } from './step.ts'
import { foldSpace } from './text.ts'

/** A scenario file by its parts, in offsets of the canonical source. */
export interface Body {
  title: string | undefined
  frontMatter: { start: number; end: number } | undefined
  steps: { section: Section; source: StepSource }[]
  headings: Partial<Record<Section, { start: number; end: number }>>
}

const sections: readonly Section[] = ['setup', 'steps', 'teardown']

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
/** For fromMarkdown. */
export const blockOptions = {
  extensions: [frontmatter(), blocksOnly],
  mdastExtensions: [frontmatterFromMarkdown()],
}

/** Title, front matter and steps of a canonical source. */
export function readBody(source: string, report: Report): Body {
  const body: Body = { title: undefined, frontMatter: undefined, steps: [], headings: {} }
  let section: Section | undefined
  let depth = 0
  let last: StepSource | undefined
  for (const node of fromMarkdown(source, blockOptions).children) {
    const { start, end } = offsets(node)
    if (node.type === 'yaml') body.frontMatter = { start, end }
    else if (node.type === 'heading') {
      const heading = foldSpace(textOf(source, node))
      if (node.depth === 1 && body.title === undefined) body.title = heading
      const named = node.depth > 1 ? sectionNamed(heading) : undefined
      if (named) {
        section = named
        depth = node.depth
        body.headings[named] ??= { start, end }
      } else if (node.depth <= depth) {
        section = undefined
        depth = 0
      }
      if (!named && node.depth > 1) suggestSection(heading, start, end, report)
    } else if (section && node.type === 'list') last = readList(source, node, section, body, report)
    else if (node.type === 'code' && last && !last.fence) last.fence = fenceOf(source, node)
    if (node.type !== 'list') last = undefined
  }
  body.steps.sort((a, b) => sections.indexOf(a.section) - sections.indexOf(b.section))
  return body
}

function readList(source: string, list: List, section: Section, body: Body, report: Report): StepSource | undefined {
  let last: StepSource | undefined
  for (const item of list.children) {
    last = readItem(source, item, report)
    if (last) body.steps.push({ section, source: last })
  }
  return last
}

/** The item's first paragraph is the step; a fenced block below is its own, other paragraphs are prose. */
function readItem(source: string, item: ListItem, report: Report): StepSource | undefined {
  const [first, ...rest] = item.children
  if (first?.type !== 'paragraph') {
    const { start, end } = offsets(first ?? item)
    report({
      code: 'MOLAR_S001',
      message: 'A step is one sentence that begins with a verb.',
      start,
      end,
      suggestions: [],
    })
    return
  }
  const step: StepSource = offsets(first)
  for (const node of rest) {
    const { start, end } = offsets(node)
    const wrong = (code: 'MOLAR_S001' | 'MOLAR_S003', message: string) =>
      report({ code, message, start, end, suggestions: [] })
    if (node.type === 'code') {
      if (step.fence) wrong('MOLAR_S003', 'A step takes one fenced block.')
      else step.fence = fenceOf(source, node)
    }
    // A nested step that is silently passed over would be a test that silently does not test.
    if (node.type === 'list') wrong('MOLAR_S001', 'Steps do not stand inside each other.')
  }
  return step
}

function sectionNamed(heading: string): Section | undefined {
  const plain = (heading.endsWith(':') ? heading.slice(0, -1) : heading).toLowerCase()
  return sections.find((section) => section === plain)
}

function suggestSection(heading: string, start: number, end: number, report: Report): void {
  if (heading.length > 20) return
  const letters = [...heading.toLowerCase()].filter((char) => char >= 'a' && char <= 'z').join('')
  const near = nearest(letters, sections).filter((section) => Math.abs(section.length - letters.length) <= 1)
  const meant = near[0]
  if (!meant) return
  const suggestion = `${meant[0]?.toUpperCase()}${meant.slice(1)}`
  const message = `"${heading}" is not a section, so what stands below it would not run.`
  report({ code: 'MOLAR_S004', message, start, end, suggestions: [suggestion] })
}

/** The block's lines with their places: mdast takes the indentation off, the source still has it. */
function fenceOf(source: string, node: Code): Fence {
  const { start, end } = offsets(node)
  const lines: Fence['lines'] = []
  let lineStart = source.indexOf('\n', start) + 1
  for (const text of node.value === '' ? [] : node.value.split('\n')) {
    const lineEnd = source.indexOf('\n', lineStart)
    lines.push({ text, start: Math.max(lineStart, lineEnd - text.length) })
    lineStart = lineEnd + 1
  }
  return { language: (node.lang ?? '').toLowerCase(), lines, start, end }
}

/** A node's inner text as it stands in the source. */
export function textOf(source: string, node: RootContent & { children?: unknown }): string {
  const children = (node as { children?: Nodes[] }).children ?? []
  const [first, last] = [children[0], children.at(-1)]
  return first && last ? source.slice(offsets(first).start, offsets(last).end) : ''
}

export function offsets(node: Nodes): { start: number; end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 }
}
