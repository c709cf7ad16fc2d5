import type { Section } from '../plan.ts'
import { type Block, readBlocks } from './blocks.ts'
import { nearest } from './nearest.ts'
import type { Report } from './problem.ts'
import type { StepSource } from './step.ts'

/** A scenario file by its parts, in offsets of the canonical source. */
export interface Body {
  title: string | undefined
  frontMatter: { start: number; end: number } | undefined
  steps: { section: Section; source: StepSource }[]
  headings: Partial<Record<Section, { start: number; end: number }>>
}

const sections: readonly Section[] = ['setup', 'steps', 'teardown']

/** Title, front matter and steps of a canonical source. */
export function readBody(source: string, report: Report): Body {
  const body: Body = { title: undefined, frontMatter: undefined, steps: [], headings: {} }
  let section: Section | undefined
  let depth = 0
  let last: StepSource | undefined
  for (const block of readBlocks(source)) {
    const { start, end } = block
    if (block.type === 'yaml') body.frontMatter = { start, end }
    else if (block.type === 'heading') {
      const heading = block.text
      if (block.depth === 1 && body.title === undefined) body.title = heading
      const named = block.depth > 1 ? sectionNamed(heading) : undefined
      if (named) {
        section = named
        depth = block.depth
        body.headings[named] ??= { start, end }
      } else if (block.depth <= depth) {
        section = undefined
        depth = 0
      }
      if (!named && block.depth > 1) suggestSection(heading, start, end, report)
    } else if (section && block.type === 'list') last = readList(block.items, section, body, report)
    else if (block.type === 'code' && last && !last.fence) last.fence = block.fence
    if (block.type !== 'list') last = undefined
  }
  body.steps.sort((a, b) => sections.indexOf(a.section) - sections.indexOf(b.section))
  return body
}

function readList(items: Block[][], section: Section, body: Body, report: Report): StepSource | undefined {
  let last: StepSource | undefined
  for (const item of items) {
    last = readItem(item, report)
    if (last) body.steps.push({ section, source: last })
  }
  return last
}

/** The item's first paragraph is the step; a fenced block below is its own, other paragraphs are prose. */
function readItem([first, ...rest]: Block[], report: Report): StepSource | undefined {
  if (first?.type !== 'paragraph') {
    const { start, end } = first as Block
    report({
      code: 'MOLAR_S001',
      message: 'A step is one sentence that begins with a verb.',
      start,
      end,
      suggestions: [],
    })
    return
  }
  const step: StepSource = { start: first.start, end: first.end }
  for (const block of rest) {
    const { start, end } = block
    const wrong = (code: 'MOLAR_S001' | 'MOLAR_S003', message: string) =>
      report({ code, message, start, end, suggestions: [] })
    if (block.type === 'code') {
      if (step.fence) wrong('MOLAR_S003', 'A step takes one fenced block.')
      else step.fence = block.fence
    }
    // A nested step that is silently passed over would be a test that silently does not test.
    if (block.type === 'list') wrong('MOLAR_S001', 'Steps do not stand inside each other.')
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
