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

interface State {
  readonly source: string
  readonly blocks: Block[]
  /** The list that is open, the end of its signs, and the indentation of what belongs to its last item. */
  list: Extract<Block, { type: 'list' }> | undefined
  sign: string
  indent: number
  /** The paragraph that a line of text would go on. */
  paragraph: Block | undefined
}

/**
 * The blocks of a canonical source that holds nothing but front matter, headings, paragraphs, fenced blocks, and lists
 * of one level with paragraphs and fenced blocks in them. Undefined where a line may be anything else: then only
 * CommonMark's parser knows. Where this answers, it answers as that parser does.
 */
export function plainBlocks(source: string): Block[] | undefined {
  if (unusual.test(source)) return
  const state: State = { source, blocks: [], list: undefined, sign: '', indent: 0, paragraph: undefined }
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
  return add(state, { type: 'yaml', start: 0, end }, false)
}

function readLine(state: State, at: number): number | undefined {
  const { source, list, paragraph } = state
  const end = source.indexOf('\n', at)
  const start = skipSpaces(source, at)
  if (start === end) {
    state.paragraph = undefined
    return end + 1
  }
  const inside = list !== undefined && start - at >= state.indent
  const fence = match(fenceSign, source, start)
  if (fence) return readCode(state, at, start, fence[0], inside)
  if (match(rule, source, start)) return add(state, { type: 'other', start, end }, inside)
  if (!inside) {
    const sign = match(itemSign, source, start)
    if (sign) return readItem(state, at, start, end, sign[0])
    const [, signs, text] = match(heading, source, start) ?? []
    if (signs && text !== undefined)
      return add(state, { type: 'heading', start, end, depth: signs.length, text: foldSpace(text) }, false)
  }
  if (match(special, source, start)) return
  if (!paragraph) return add(state, { type: 'paragraph', start, end }, inside)
  paragraph.end = end
  if (list) list.end = end
  return end + 1
}

/** A list's item with text behind its sign. */
function readItem(state: State, at: number, start: number, end: number, prefix: string): number | undefined {
  const content = start + prefix.length
  if (match(special, state.source, content)) return
  const sign = prefix.trimEnd().at(-1) as string
  if (!state.list || state.sign !== sign) {
    // Whether a list may begin here, below text, is a rule of its own.
    if (state.paragraph) return
    state.list = { type: 'list', start, end, items: [] }
    state.blocks.push(state.list)
  }
  state.list.items.push([])
  state.sign = sign
  state.indent = content - at
  return add(state, { type: 'paragraph', start: content, end }, true)
}

/** A fenced block up to its closing fence, all of it in the list that it began in. */
function readCode(state: State, at: number, start: number, fence: string, inside: boolean): number | undefined {
  const { source } = state
  const first = source.indexOf('\n', start)
  const info = source.slice(skipSpaces(source, start + fence.length), first)
  if (info.includes('`')) return
  const language = (info.split(' ')[0] as string).toLowerCase()
  const lines: Fence['lines'] = []
  for (let from = first + 1; from < source.length; ) {
    const end = source.indexOf('\n', from)
    const text = skipSpaces(source, from)
    if (inside && text < end && text - from < state.indent) return
    const close = match(fenceSign, source, text)?.[0]
    if (close?.startsWith(fence) && skipSpaces(source, text + close.length) === end) {
      // The parser's text of one empty line is that of none.
      if (lines.length === 1 && lines[0]?.text === '') lines.pop()
      return add(state, { type: 'code', start, end, fence: { language, lines, start, end } }, inside)
    }
    const begin = Math.min(text, from + start - at)
    lines.push({ text: source.slice(begin, end), start: begin })
    from = end + 1
  }
  return
}

/** Adds a block to the last item of the open list, or below it. */
function add(state: State, block: Block, inside: boolean): number {
  if (!inside) state.list = undefined
  const { list, blocks } = state
  ;(list?.items.at(-1) ?? blocks).push(block)
  state.paragraph = block.type === 'paragraph' ? block : undefined
  if (list) list.end = block.end
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
