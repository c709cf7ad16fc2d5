import type { Readable, Writable } from 'node:stream'

/** Where the CLI writes: answers to `out`, everything else to `err`. */
export interface Terminal {
  out: Channel
  err: Channel
  /** All of standard input as text. */
  input(): Promise<string>
}

export interface Channel {
  write(text: string): void
  line(text?: string): void
  /** Someone watches: colours and lines that change are welcome. */
  live: boolean
  paint: Paint
  /** Columns; unbounded where nobody watches. */
  width: number
}

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const
export type Paint = Record<keyof typeof codes, (text: string) => string>

export interface TerminalChoices {
  /** undefined: colours where someone watches. */
  color?: boolean | undefined
  /** Nothing that moves or overwrites itself, whoever watches. */
  still?: boolean
}

export type Streams = { stdin: Readable; stdout: Writable; stderr: Writable }

/** The terminal over a process's streams. */
export function openTerminal(streams: Streams, choices: TerminalChoices = {}): Terminal {
  return {
    out: channel(streams.stdout, choices),
    err: channel(streams.stderr, choices),
    async input() {
      const chunks: Buffer[] = []
      for await (const chunk of streams.stdin) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks).toString('utf8')
    },
  }
}

function channel(stream: Writable & { isTTY?: boolean; columns?: number }, { color, still }: TerminalChoices): Channel {
  const terminal = stream.isTTY === true
  const write = (text: string) => void stream.write(text)
  return {
    write,
    line: (text = '') => write(`${text}\n`),
    live: terminal && !still,
    paint: makePaint(color ?? (terminal && !still)),
    width: terminal ? stream.columns || 80 : Number.POSITIVE_INFINITY,
  }
}

function makePaint(on: boolean): Paint {
  const entries = Object.entries(codes).map(([name, [open, close]]) => [
    name,
    (text: string) => (on && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text),
  ])
  return Object.fromEntries(entries) as Paint
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const controls = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** Text of a page or a server without what a terminal would obey: escape sequences, control characters, bidi overrides. */
export const harmless = (text: string): string => text.replace(controls, '')

/** The same on one line: for tables and progress. */
export const oneLine = (text: string): string => harmless(text).replace(/\s+/g, ' ').trim()

/** Columns that a text takes; colours take none, East Asian wide characters and most emoji two. */
export function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
  const plain = text.replace(/\u001b\[[0-9;]*m/g, '')
  let width = 0
  for (const character of plain) width += /\p{Mn}|\u200d|\ufe0f/u.test(character) ? 0 : isWide(character) ? 2 : 1
  return width
}

const isWide = (character: string): boolean =>
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  )

/** Cut to `width` columns, with an ellipsis where something is missing. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  for (const character of text) {
    if (widthOf(kept + character) > width - 1) break
    kept += character
  }
  return `${kept}…`
}

export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))
