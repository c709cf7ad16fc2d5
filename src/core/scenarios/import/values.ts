import type { Expression, Node, ObjectExpression, Property, SpreadElement } from 'acorn'
import type { Located } from './locators.ts'

/** What a name of the spec stands for, as far as it can be known without running it. */
export type Bound = { kind: 'text'; text: Text } | { kind: 'locator'; located: Located } | { kind: 'page' }

/** Text as a scenario writes it between quotation marks, escaped, with its references. */
export interface Text {
  written: string
  /** Whether it is one reference and nothing else. */
  reference?: true
}

export interface Scope {
  names: Map<string, Bound>
  /** Names of the environment that the spec reads. */
  secrets: Set<string>
  env: Set<string>
}

/** Thrown where something cannot be carried over; its message says why, to be read after the code. */
export class NotCarried extends Error {}

export const giveUp = (why: string): never => {
  throw new NotCarried(why)
}

const secretName = /pass|secret|token|api_?key|credential|pin$/i

export const escapeText = (text: string): string =>
  text.replace(/[\\"]/g, '\\$&').replaceAll('${', '\\${').replace(/\s+/g, ' ')
export const written = (text: string): Text => ({ written: escapeText(text) })
export const quoted = ({ written, reference }: Text): string => (reference ? written : `"${written}"`)

/** The text of an expression: literals, templates, constants, sums and what it reads of the environment. */
export function textOf(node: Node, scope: Scope): Text {
  const expression = node as Expression
  switch (expression.type) {
    case 'Literal':
      if (typeof expression.value === 'string' || typeof expression.value === 'number')
        return written(String(expression.value))
      return giveUp('is no plain text')
    case 'TemplateLiteral': {
      const parts = expression.quasis.map((quasi, at) => {
        const value = expression.expressions[at]
        return escapeText(quasi.value.cooked ?? '') + (value ? textOf(value, scope).written : '')
      })
      return { written: parts.join('') }
    }
    case 'BinaryExpression':
      if (expression.operator !== '+') return giveUp('is computed')
      return { written: textOf(expression.left, scope).written + textOf(expression.right, scope).written }
    case 'Identifier': {
      const bound = scope.names.get(expression.name)
      return bound?.kind === 'text' ? bound.text : giveUp(`uses ${expression.name}, whose value is not known`)
    }
    case 'MemberExpression':
      return environmentOf(expression, scope)
    case 'LogicalExpression':
    case 'ParenthesizedExpression':
      return textOf(expression.type === 'LogicalExpression' ? expression.left : expression.expression, scope)
    default:
      return giveUp('has a value that is not known before it runs')
  }
}

function environmentOf(node: Extract<Expression, { type: 'MemberExpression' }>, scope: Scope): Text {
  const path = pathOf(node)
  const [, name] = /^process\.env\.(\w+)$/.exec(path ?? '') ?? []
  if (name === undefined) return giveUp(`uses ${path ?? 'an object'}, whose value is not known`)
  const secret = secretName.test(name)
  ;(secret ? scope.secrets : scope.env).add(name)
  return { written: `\${${secret ? 'secrets' : 'env'}.${name}}`, reference: true }
}

/** `test.describe.only`: names joined by dots; undefined for anything else. */
export function pathOf(node: Node): string | undefined {
  const expression = node as Expression
  if (expression.type === 'Identifier') return expression.name
  if (expression.type !== 'MemberExpression') return undefined
  const { property, object, computed } = expression
  const before = pathOf(object)
  const name =
    !computed && property.type === 'Identifier'
      ? property.name
      : property.type === 'Literal' && typeof property.value === 'string'
        ? property.value
        : undefined
  return before !== undefined && name !== undefined ? `${before}.${name}` : undefined
}

/** A regular expression that is plain text in disguise, such as /sign in/i; undefined for any other. */
export function plainRegex(node: Node): string | undefined {
  const expression = node as Expression
  if (expression.type !== 'Literal' || !expression.regex) return undefined
  const { pattern } = expression.regex
  const inner = pattern
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/^\.\*|\.\*$/g, '')
  const plain = inner.replace(/\\([/.?+*()[\]{}^$|\\-])/g, '')
  return /[\\^$.*+?()[\]{}|]/.test(plain) ? undefined : inner.replace(/\\(.)/g, '$1')
}

/** The properties of an object literal by their names. */
export function fieldsOf(node: Node | undefined): Map<string, Expression> {
  const object = node as ObjectExpression | undefined
  if (object === undefined) return new Map()
  if (object.type !== 'ObjectExpression') return giveUp('has options that are not known before it runs')
  return new Map(
    object.properties.map((property: Property | SpreadElement) => {
      if (property.type !== 'Property' || property.computed)
        return giveUp('has options that are not known before it runs')
      const { key } = property
      const name =
        key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : giveUp('has an odd option')
      return [name, property.value]
    }),
  )
}

export function literalOf(node: Node | undefined): string | number | boolean | undefined {
  const expression = node as Expression | undefined
  if (expression?.type === 'UnaryExpression' && expression.operator === '-')
    return -Number(literalOf(expression.argument))
  if (expression?.type !== 'Literal' || expression.regex) return undefined
  return expression.value as string | number | boolean
}
