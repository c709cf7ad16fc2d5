import type { CallExpression, Expression, Node, Statement } from 'acorn'
import { compileScenario } from '../language/index.ts'
import { type Step, stepOfCall } from './calls.ts'
import { readExpect, stepOfExpect } from './expects.ts'
import { isPage, locate } from './locators.ts'
import type { Source } from './parse.ts'
import { giveUp, NotCarried, pathOf, type Scope, textOf } from './values.ts'

/** Code that could not be carried over, or was carried over with a change that its reader should know. */
export interface LeftOut {
  line: number
  code: string
  reason: string
  /** A step was written all the same. */
  carried: boolean
}

export interface Walk {
  source: Source
  scope: Scope
  leftOut: LeftOut[]
}

/** The steps of statements, as lines without numbers; what gives none is noted with its line. */
export function stepsOf(statements: readonly Node[], walk: Walk): string[] {
  return statements.flatMap((statement) => stepsOfOne(statement, walk))
}

function stepsOfOne(statement: Node, walk: Walk): string[] {
  const { source, leftOut } = walk
  const note = (reason: string, carried: boolean) =>
    leftOut.push({ line: source.lineOf(statement), code: source.show(statement), reason, carried })
  try {
    const found = read(statement as Statement, walk)
    if (Array.isArray(found)) return found
    if (!found) return []
    const line = lineOf(found)
    const problem = whyNot(line)
    if (problem !== undefined) giveUp(`would be \`${line}\`, which is no step: ${problem}`)
    if (found.note !== undefined) note(found.note, true)
    return [line]
  } catch (error) {
    if (!(error instanceof NotCarried)) throw error
    note(error.message, false)
    return []
  }
}

const lineOf = ({ text, options }: Step): string => (options.length > 0 ? `${text} {${options.join(', ')}}` : text)

/** A step, the steps of a block, or nothing where nothing is needed. */
function read(statement: Statement, walk: Walk): Step | string[] | undefined {
  switch (statement.type) {
    case 'ExpressionStatement':
      return readExpression(statement.expression, walk)
    case 'VariableDeclaration':
      for (const { id, init } of statement.declarations) {
        if (!init) continue
        if (id.type !== 'Identifier') giveUp('takes a value apart')
        else bind(id.name, init, walk.scope)
      }
      return undefined
    case 'BlockStatement':
      return stepsOf(statement.body, walk)
    case 'EmptyStatement':
      return undefined
    case 'ReturnStatement':
      return statement.argument ? readExpression(statement.argument, walk) : undefined
    case 'IfStatement':
    case 'ForStatement':
    case 'ForOfStatement':
    case 'ForInStatement':
    case 'WhileStatement':
    case 'TryStatement':
    case 'SwitchStatement':
      return giveUp('decides or repeats while it runs: write the steps of each case, or a data table')
    default:
      return giveUp('is no call')
  }
}

function readExpression(expression: Expression, walk: Walk): Step | string[] | undefined {
  if (expression.type === 'AwaitExpression') return readExpression(expression.argument, walk)
  if (expression.type !== 'CallExpression') return giveUp('is no call')
  const name = pathOf(expression.callee)
  if (name === 'test.step') return stepsOf(bodyOf(expression.arguments[1]), walk)
  if (name !== undefined && /^test\.(slow|setTimeout|info|skip|fixme|fail|use)\b/.test(name))
    return giveUp('sets how the test runs: see timeout_ms, retries and tags in the front matter')
  const expectation = readExpect(expression)
  if (expectation) return stepOfExpect(expectation, walk.scope)
  return stepOfCall(expression, walk.scope)
}

/** A constant: text, a locator, or the page by another name. */
function bind(name: string, init: Expression, scope: Scope): void {
  if (isPage(init, scope)) scope.names.set(name, { kind: 'page' })
  else {
    try {
      scope.names.set(name, { kind: 'text', text: textOf(init, scope) })
    } catch {
      scope.names.set(name, { kind: 'locator', located: locate(init, scope) })
    }
  }
}

/** The statements of a function that is written where it is used. */
export function bodyOf(node: Node | undefined): readonly Node[] {
  const callback = node as Expression | undefined
  if (callback?.type !== 'ArrowFunctionExpression' && callback?.type !== 'FunctionExpression')
    return giveUp('is given a function that is not written here')
  return callback.body.type === 'BlockStatement'
    ? callback.body.body
    : [
        {
          type: 'ExpressionStatement',
          expression: callback.body,
          start: callback.body.start,
          end: callback.body.end,
          loc: callback.body.loc,
        } as Node,
      ]
}

export const isCall = (node: Node): CallExpression | undefined => {
  const statement = node as Statement
  if (statement.type !== 'ExpressionStatement') return undefined
  const { expression } = statement
  return expression.type === 'CallExpression' ? expression : undefined
}

/** The compiler's word on a step that stands alone; undefined where it is one. */
export function whyNot(line: string): string | undefined {
  const names = (kind: string) => [
    ...new Set([...line.matchAll(new RegExp(`\\$\\{${kind}\\.([\\w-]+)\\}`, 'g'))].map(([, name = '']) => name)),
  ]
  const result = compileScenario(`---
spec_version: '1.0'
id: 019301c0-cafe-7000-bea7-000000000001
slug: step
description: One step.
secrets: ${JSON.stringify(names('secrets'))}
---
# Step

## Steps
1. ${line}
`)
  return result.ok ? undefined : result.problems[0]?.message
}
