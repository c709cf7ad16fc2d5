import { tsPlugin } from '@sveltejs/acorn-typescript'
import { type Node, Parser, type Program } from 'acorn'
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
const TypeScriptParser = Parser.extend(tsPlugin())

/** TypeScript or JavaScript as a tree; nothing of it is ever executed. Throws validation_failed with the line. */
export function parseSource(text: string): Source {
  try {
    const program = TypeScriptParser.parse(text, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      locations: true,
      allowAwaitOutsideFunction: true,
      allowReturnOutsideFunction: true,
      allowHashBang: true,
    })
    dropTypes(program)
    return {
      text,
      program,
      lineOf: (node) => node.loc?.start.line ?? 0,
      show: (node) => {
        const code = text.slice(node.start, node.end).replace(/\s+/g, ' ').trim()
        return code.length > longestShown ? `${code.slice(0, longestShown - 1)}…` : code
      },
    }
  } catch (cause) {
    return refuse(cause)
  }
}

const wrappers = new Set(['TSNonNullExpression', 'TSAsExpression', 'TSSatisfiesExpression', 'TSTypeAssertion'])

/** Where the parser lets a type stand, such as the whole of `<A>`, though only an expression makes sense. */
const isExpected = new Set(['expression', 'right', 'argument', 'object', 'callee', 'test', 'body'])

/** What is left is JavaScript's tree: `x as T`, `x!` and the like are x, and declarations of types are gone. */
function dropTypes(node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  const holder = node as Record<string, unknown>
  for (const [key, child] of Object.entries(holder)) {
    if (Array.isArray(child)) holder[key] = child.map(unwrapped).filter((one) => !isType(one))
    else if (isType(child) && isExpected.has(key)) throw new SyntaxError('Expression expected')
    else holder[key] = isType(child) ? undefined : unwrapped(child)
    for (const one of [holder[key]].flat()) dropTypes(one)
  }
}

function unwrapped(node: unknown): unknown {
  const { type, expression } = (node ?? {}) as { type?: string; expression?: unknown }
  return wrappers.has(type ?? '') ? unwrapped(expression) : node
}

const isType = (node: unknown): boolean => {
  const { type } = (node ?? {}) as { type?: string }
  return type?.startsWith('TS') === true && !wrappers.has(type)
}

function refuse(cause: unknown): never {
  const { message, loc } = cause as Error & { loc?: { line: number } }
  const why = cause instanceof RangeError ? 'it is nested too deeply' : message.split('\n').slice(0, 2).join(' ').trim()
  const where = loc ? ` in line ${loc.line}` : ''
  return fail('validation_failed', `source: cannot be read as TypeScript${where}: ${why}.`, { cause })
}
