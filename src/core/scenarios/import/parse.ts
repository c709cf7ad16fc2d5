import { stripTypeScriptTypes } from 'node:module'
import { type Node, type Program, parse } from 'acorn'
import { fail } from '../../errors.ts'

export interface Source {
  text: string
  program: Program
  /** From 1. */
  lineOf(node: Node): number
  /** The code of a node on one line, cut where it is long. */
  show(node: Node): string
}

const longestShown = 120

/** TypeScript or JavaScript as a tree; nothing of it is ever executed. Throws validation_failed with the line. */
export function parseSource(text: string): Source {
  const plain = withoutTypes(text)
  try {
    const program = parse(plain, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      locations: true,
      allowAwaitOutsideFunction: true,
      allowReturnOutsideFunction: true,
      allowHashBang: true,
    })
    return {
      text: plain,
      program,
      lineOf: (node) => node.loc?.start.line ?? 0,
      show: (node) => {
        const code = plain.slice(node.start, node.end).replace(/\s+/g, ' ').trim()
        return code.length > longestShown ? `${code.slice(0, longestShown - 1)}…` : code
      },
    }
  } catch (cause) {
    return refuse(cause)
  }
}

/** Types give way to white space, so lines and columns stay. Node warns that this is young; its user cannot help it. */
function withoutTypes(text: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(text, { mode: 'strip' })
  } catch (cause) {
    return refuse(cause)
  } finally {
    process.emitWarning = emitWarning
  }
}

function refuse(cause: unknown): never {
  const { message, loc } = cause as Error & { loc?: { line: number } }
  const why = cause instanceof RangeError ? 'it is nested too deeply' : message.split('\n').slice(0, 2).join(' ').trim()
  const where = loc ? ` in line ${loc.line}` : ''
  return fail('validation_failed', `source: cannot be read as TypeScript${where}: ${why}.`, { cause })
}
