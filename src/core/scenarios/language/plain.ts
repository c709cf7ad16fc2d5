import type { Block } from './blocks.ts'
import type { Fence } from './fences.ts'
import { foldSpace } from './text.ts'

/** What CommonMark reads in a way of its own wherever it stands. */
const unusual = /^\uFEFF|[\0\t]/

const heading = /(#{1,6}) ([^#\n]*)\n/y
const itemSign = /(?:[-*+]|\d{1,9}[.)]) +(?=[^ \n])/y
const fenceSign = /`{3,}|~{3,}/y
const rule = /(?:- *){3,}\n|(?:\* *){3,}\n|(?:_ *){3,}\n/y

/** A line, behind its indentation, that is more than text, or may be. */
const special = /[#<>]|```|~~~|(?:[-*+]|\d+[.)])[ \n]|[-*_][-*_ ]*\n/y

/** A list that may go on, how its signs end, and the indentation of what belongs to its last item. */
interface Open {
  list: Extract<Block, { type: 'list' }>
  sign: string
  indent: number
}

interface State {
  readonly source: string
  readonly blocks: Block[]
  /** The lists that the last line stands in, from the outermost. */
  readonly open: Open[]
  /** The paragraph that a line of text would go on. */
  paragraph: Block | undefined
}

/** A line's beginning, its text behind the indentation, its end, and how many of the open lists it stands in. */
interface Line {
  at: number
  start: number
  end: number
  depth: number
}

/**
 * The blocks of a canonical source that holds nothing but front matter, headings, rules, paragraphs, fenced blocks and
 * lists of such. Undefined where a line may be anything else: then only CommonMark's parser knows. Where this answers,
 * it answers as that parser does.
 */
export function plainBlocks(source: string): Block[] | undefined {
  if (unusual.test(source)) return
  const state: State = { source, blocks: [], open: [], paragraph: undefined }
  let at = readFrontMatter(state)
  while (at !== undefined && at < source.length) at = readLine(state, at)
  return at === undefined ? undefined : state.blocks
}

/** Where the line behind the front matter begins; undefined, here as below, where it may not be plain. */
function readFrontMatter(state: State): number | undefined {
  const { source } = state
  if (!source.startsWith('---')) return 0
  const close = source.indexOf('\n---', 3)
  const end = close + '\n---'.length
  if (source[3] !== '\n' || close === -1 || source[end] !== '\n') return
  return add(state, { type: 'yaml', start: 0, end }, 0)
}

function readLine(state: State, at: number): number | undefined {
  const { source, open, paragraph } = state
  const end = source.indexOf('\n', at)
  const start = skipSpaces(source, at)
  if (start === end) {
    state.paragraph = undefined
    return end + 1
  }
  let depth = 0
  while (start - at >= (open[depth]?.indent ?? Number.POSITIVE_INFINITY)) depth++
  const line = { at, start, end, depth }
  const fence = match(fenceSign, source, start)
  if (fence) return readCode(state, line, fence[0])
  if (match(rule, source, start)) return add(state, { type: 'other', start, end }, depth)
  const sign = match(itemSign, source, start)
  if (sign) return readItem(state, line, sign[0])
  const [, signs, text] = match(heading, source, start) ?? []
  if (signs && text !== undefined)
    return add(state, { type: 'heading', start, end, depth: signs.length, text: foldSpace(text) }, depth)
  if (match(special, source, start)) return
  if (!paragraph) return add(state, { type: 'paragraph', start, end }, depth)
  paragraph.end = end
  for (const { list } of open) list.end = end
  return end + 1
}

/** A list's item with text behind its sign. */
function readItem(state: State, { at, start, end, depth }: Line, prefix: string): number | undefined {
  const content = start + prefix.length
  if (match(special, state.source, content)) return
  const sign = prefix.trimEnd().at(-1) as string
  const open = state.open[depth]
  let list = open?.sign === sign ? open.list : undefined
  if (!list) {
    // Below text, no number but 1 begins a list.
    if (state.paragraph && '.)'.includes(sign) && !prefix.startsWith(`1${sign}`)) return
    list = { type: 'list', start, end, items: [] }
    add(state, list, depth)
  }
  list.items.push([])
  state.open.length = depth
  state.open.push({ list, sign, indent: content - at })
  return add(state, { type: 'paragraph', start: content, end }, depth + 1)
}

/** A fenced block up to its closing fence, all of it in the list that it began in. */
function readCode(state: State, { at, start, end: first, depth }: Line, fence: string): number | undefined {
  const { source } = state
  const indent = state.open[depth - 1]?.indent ?? 0
  const info = source.slice(skipSpaces(source, start + fence.length), first)
  if (info.includes('`')) return
  const language = (info.split(' ')[0] as string).toLowerCase()
  const lines: Fence['lines'] = []
  for (let from = first + 1; from < source.length; ) {
    const end = source.indexOf('\n', from)
    const text = skipSpaces(source, from)
    if (text < end && text - from < indent) return
    const close = match(fenceSign, source, text)?.[0]
    if (close?.startsWith(fence) && skipSpaces(source, text + close.length) === end) {
      // The parser's text of one empty line is that of none.
      if (lines.length === 1 && lines[0]?.text === '') lines.pop()
      return add(state, { type: 'code', start, end, fence: { language, lines, start, end } }, depth)
    }
    const begin = Math.min(text, from + start - at)
    lines.push({ text: source.slice(begin, end), start: begin })
    from = end + 1
  }
  return
}

/** Adds a block to the innermost of so many open lists; the others end. */
function add(state: State, block: Block, depth: number): number {
  state.open.length = depth
  ;(state.open.at(-1)?.list.items.at(-1) ?? state.blocks).push(block)
  state.paragraph = block.type === 'paragraph' ? block : undefined
  for (const { list } of state.open) list.end = block.end
  return block.end + 1
}

function match(sign: RegExp, source: string, at: number): RegExpExecArray | null {
  sign.lastIndex = at
  return sign.exec(source)
}

function skipSpaces(source: string, at: number): number {
  let end = at
  while (source[end] === ' ') end++
  return end
}
