import type { CallExpression, Expression, Node } from 'acorn'
import { roles } from '../language/roles.ts'
import { fieldsOf, giveUp, literalOf, plainRegex, quoted, type Scope, type Text, textOf, written } from './values.ts'

/** A locator as a scenario's target. */
export interface Located {
  /** Without its choice: `button "Save" in row "Ada"`. */
  target: string
  /** The step's options that choose: `exact: true`, `nth: 2`. */
  options: string[]
  /** What getByText looked for: assertions about it have a form of their own. */
  text?: Text
  /** A role without a name: a filter by text gives it one. */
  bareRole?: true
}

/** Whether an expression is the page itself. */
export function isPage(node: Node, scope: Scope): boolean {
  const expression = node as Expression
  return expression.type === 'Identifier' && scope.names.get(expression.name)?.kind === 'page'
}

/** The target of a locator expression. Throws NotCarried. */
export function locate(node: Node, scope: Scope): Located {
  const expression = node as Expression
  if (expression.type === 'AwaitExpression') return locate(expression.argument, scope)
  if (expression.type === 'Identifier') {
    const bound = scope.names.get(expression.name)
    return bound?.kind === 'locator' ? bound.located : giveUp(`uses ${expression.name}, which is no known locator`)
  }
  if (expression.type !== 'CallExpression' || expression.callee.type !== 'MemberExpression')
    return giveUp('is no locator that is known')
  const { object, property } = expression.callee
  const method = property.type === 'Identifier' ? property.name : ''
  if (method in narrowing) return narrowing[method]!(locate(object, scope), expression, scope)
  const found = (finding[method] ?? (() => giveUp(`uses ${method || 'a call'}, which has no target here`)))(
    expression,
    scope,
  )
  if (isPage(object, scope)) return found
  return inside(found, locate(object, scope))
}

function inside(found: Located, outer: Located): Located {
  const chosen = outer.options.filter((option) => option !== 'exact: true')
  if (chosen.length > 0) giveUp(`looks inside of one of several ({${chosen.join(', ')}}): name the container instead`)
  if (outer.text && !outer.bareRole) return { ...found, target: `${found.target} in ${outer.target}` }
  const { text: _text, ...rest } = found
  return { ...rest, target: `${found.target} in ${outer.target}` }
}

type Find = (call: CallExpression, scope: Scope) => Located

const byName: Find = (call, scope) => {
  const name = nameOf(call.arguments[0], scope)
  return { target: quoted(name), options: exactOf(call.arguments[1]) }
}

const finding: Record<string, Find> = {
  getByRole(call, scope) {
    const role = literalOf(call.arguments[0])
    if (typeof role !== 'string' || !roles.has(role)) return giveUp('names a role that is not known')
    const fields = fieldsOf(call.arguments[1])
    const more = [...fields.keys()].filter((key) => !['name', 'exact', 'includeHidden'].includes(key))
    if (more.length > 0) giveUp(`asks for ${more.join(', ')}, which a target does not say: assert it instead`)
    const name = fields.get('name')
    if (!name) return { target: role, options: [], bareRole: true }
    return { target: `${role} ${quotedName(nameOf(name, scope))}`, options: exactOf(call.arguments[1]) }
  },
  getByLabel: byName,
  getByPlaceholder: byName,
  getByTitle: byName,
  getByAltText: byName,
  getByText: (call, scope) => ({ ...byName(call, scope), text: nameOf(call.arguments[0], scope) }),
  getByTestId: (call, scope) => ({ target: `testid ${quotedName(nameOf(call.arguments[0], scope))}`, options: [] }),
  locator(call, scope) {
    if (call.arguments.length > 1) return giveUp('filters a locator by another one')
    const [selector] = call.arguments
    return bySelector(literalOf(selector) ?? textOf(selector ?? giveUp('has no selector'), scope).written)
  },
  frameLocator: () =>
    giveUp('looks into a frame: write Switch to frame <target> before, and Switch to main page after'),
  contentFrame: () =>
    giveUp('looks into a frame: write Switch to frame <target> before, and Switch to main page after'),
}

/** CSS as it is; Playwright's `text=` by name; its other engines not at all. */
export function bySelector(selector: string | number | boolean): Located {
  const css = String(selector)
  const [, text] = /^text=(?:"(.*)"|'(.*)'|(.*))$/s.exec(css)?.map((part) => part) ?? []
  const plain = /^text=/.test(css) ? (text ?? css.slice(5).replace(/^['"]|['"]$/g, '')) : undefined
  if (plain !== undefined) return { target: quoted(written(plain)), options: [], text: written(plain) }
  if (/^(xpath=|\/\/|\.\.)|>>|:has-text|:text|internal:|^[a-z-]+=/.test(css))
    return giveUp('uses a selector that is not plain CSS: name the element by what a person sees')
  return { target: `\`${css.replace(/^css=/, '').replace(/[\\`]/g, '\\$&').replaceAll('${', '\\${')}\``, options: [] }
}

type Narrow = (located: Located, call: CallExpression, scope: Scope) => Located

const narrowing: Record<string, Narrow> = {
  first: (located) => chosen(located, 'first: true'),
  last: (located) => chosen(located, 'last: true'),
  nth(located, call) {
    const place = literalOf(call.arguments[0])
    if (place === -1) return chosen(located, 'last: true')
    return typeof place === 'number' && place >= 0
      ? chosen(located, `nth: ${place + 1}`)
      : giveUp('chooses by a place that is not known')
  },
  filter(located, call, scope) {
    const fields = fieldsOf(call.arguments[0])
    const text = fields.get('hasText')
    if (!text || fields.size > 1 || !located.bareRole)
      return giveUp('filters in a way that a target does not say: narrow it with in <target>')
    const { bareRole: _bare, ...rest } = located
    const [role = '', ...within] = located.target.split(' in ')
    return { ...rest, target: [`${role} ${quotedName(nameOf(text, scope))}`, ...within].join(' in ') }
  },
  describe: (located) => located,
}

function chosen(located: Located, option: string): Located {
  return { ...located, options: [...located.options.filter((one) => one === 'exact: true'), option] }
}

function nameOf(node: Node | undefined, scope: Scope): Text {
  if (!node) return giveUp('has no name')
  const plain = plainRegex(node)
  if (plain !== undefined) return written(plain)
  if (node.type === 'Literal' && 'regex' in node)
    return giveUp('uses a regular expression: write the name that a person sees')
  return textOf(node, scope)
}

/** In a target a reference stands inside quotation marks too. */
const quotedName = ({ written }: Text): string => `"${written}"`

const exactOf = (options: Node | undefined): string[] =>
  options && options.type === 'ObjectExpression' && literalOf(fieldsOf(options).get('exact')) === true
    ? ['exact: true']
    : []
