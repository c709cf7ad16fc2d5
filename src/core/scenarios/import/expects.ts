import type { CallExpression, Node } from 'acorn'
import type { Step } from './calls.ts'
import { urlPattern } from './calls.ts'
import { isPage, type Located, locate } from './locators.ts'
import {
  fieldsOf,
  giveUp,
  literalOf,
  pathOf,
  plainRegex,
  quoted,
  type Scope,
  type Text,
  textOf,
  written,
} from './values.ts'

/** The parts of `expect(subject).not.toBeVisible(…)`; undefined where it is none. */
export function readExpect(
  call: CallExpression,
): { subject: Node; matcher: string; negated: boolean; args: CallExpression['arguments'] } | undefined {
  const { callee } = call
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return undefined
  let { object } = callee
  let negated = false
  if (object.type === 'MemberExpression' && object.property.type === 'Identifier' && object.property.name === 'not') {
    negated = true
    object = object.object
  }
  if (object.type !== 'CallExpression') return undefined
  const name = pathOf(object.callee)
  if (name !== 'expect' && name !== 'expect.soft') return undefined
  const [subject] = object.arguments
  return subject ? { subject, matcher: callee.property.name, negated, args: call.arguments } : undefined
}

type Args = CallExpression['arguments']
type Matcher = (located: Located, args: Args, not: boolean, scope: Scope) => Step
type Read = NonNullable<ReturnType<typeof readExpect>>

const assert = ({ target, options }: Located, rest: string): Step => ({ text: `Assert ${target} ${rest}`, options })
const state =
  (word: string): Matcher =>
  (located, _args, not) =>
    assert(located, `is ${not ? 'not ' : ''}${word}`)

function seen(located: Located, visible: boolean): Step {
  const word = visible ? 'visible' : 'hidden'
  return located.text && located.options.length === 0 && !located.target.includes(' in ')
    ? { text: `Assert text ${quoted(located.text)} is ${word}`, options: [] }
    : assert(located, `is ${word}`)
}

const matchers: Record<string, Matcher> = {
  toBeVisible: (located, args, not) => seen(located, (literalOf(fieldsOf(args[0]).get('visible')) !== false) !== not),
  toBeHidden: (located, _args, not) => seen(located, not),
  toBeEnabled: state('enabled'),
  toBeDisabled: state('disabled'),
  toBeChecked: (located, args, not) => {
    const checked = literalOf(fieldsOf(args[0]).get('checked')) !== false
    return assert(located, `is ${checked !== not ? 'checked' : 'unchecked'}`)
  },
  toBeFocused: state('focused'),
  toBeEmpty: state('empty'),
  toHaveText: (located, args, not, scope) => content(located, args, not, scope, 'text'),
  toContainText: (located, args, not, scope) =>
    assert(located, `${not ? 'does not contain' : 'contains'} ${quoted(one(args, scope).text)}`),
  toHaveValue: (located, args, not, scope) => content(located, args, not, scope, 'value'),
  toHaveAttribute: (located, args, not, scope) => {
    if (args.length < 2) return giveUp('asks for an attribute without a value')
    const value = one(args, scope, 1)
    if (value.part) return giveUp('matches an attribute in part')
    const has = not ? 'does not have' : 'has'
    return assert(located, `${has} attribute ${quoted(textOf(args[0]!, scope))} ${quoted(value.text)}`)
  },
  toHaveClass: (located, args, not, scope) =>
    assert(located, `${not ? 'does not have' : 'has'} class ${quoted(one(args, scope).text)}`),
  toContainClass: (located, args, not, scope) => matchers.toHaveClass!(located, args, not, scope),
  toHaveCount: (located, args, not) => {
    const count = literalOf(args[0])
    if (typeof count !== 'number') return giveUp('counts to a number that is not known')
    const { target, options } = located
    if (!not) return { text: count === 0 ? `Assert no ${target}` : `Assert ${count} ${target}`, options }
    return count === 0 ? { text: `Assert at least 1 ${target}`, options } : giveUp('says how many there are not')
  },
}

/** Text, or a plain regular expression, which matches a part. */
function one(args: Args, scope: Scope, at = 0): { text: Text; part: boolean } {
  const node = args[at] ?? giveUp('lacks what is expected')
  const plain = plainRegex(node)
  if (plain !== undefined) return { text: written(plain), part: true }
  if (node.type === 'Literal' && 'regex' in node) return giveUp('matches a regular expression: write the text')
  if (node.type === 'ArrayExpression') return giveUp('expects a list of texts: assert each')
  return { text: textOf(node, scope), part: false }
}

function content(located: Located, args: Args, not: boolean, scope: Scope, what: 'text' | 'value'): Step {
  const { text, part } = one(args, scope)
  if (!part) return assert(located, `${not ? 'does not have' : 'has'} ${what} ${quoted(text)}`)
  if (what === 'value') return giveUp('matches a value in part')
  return assert(located, `${not ? 'does not contain' : 'contains'} ${quoted(text)}`)
}

/** The step of an expectation. Throws NotCarried. */
export function stepOfExpect({ subject, matcher, negated, args }: Read, scope: Scope): Step {
  if (isPage(subject, scope)) return aboutPage(matcher, negated, args, scope)
  const known = matchers[matcher] ?? giveUp(`expects ${matcher}, which has no assertion here`)
  return known(locate(subject, scope), args, negated, scope)
}

function aboutPage(matcher: string, negated: boolean, args: Args, scope: Scope): Step {
  if (matcher === 'toHaveURL') {
    const pattern = urlPattern(args[0], scope)
    const [match = '', ...rest] = pattern.split(' ')
    const said = negated ? { is: 'is not', contains: 'does not contain', matches: 'does not match' }[match] : match
    return { text: `Assert url ${said} ${rest.join(' ')}`, options: [] }
  }
  if (matcher === 'toHaveTitle') {
    const { text, part } = one(args, scope)
    const verb = part ? (negated ? 'does not contain' : 'contains') : negated ? 'is not' : 'is'
    return { text: `Assert title ${verb} ${quoted(text)}`, options: [] }
  }
  return giveUp(`expects ${matcher} of the page, which has no assertion here`)
}
