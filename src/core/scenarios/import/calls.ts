import type { CallExpression, Node } from 'acorn'
import { bySelector, isPage, type Located, locate } from './locators.ts'
import { fieldsOf, giveUp, literalOf, plainRegex, quoted, type Scope, type Text, textOf } from './values.ts'

/** A step without its number, and its options. */
export interface Step {
  text: string
  options: string[]
  /** What whoever reads the list should know of it. */
  note?: string
}

type Args = CallExpression['arguments']
const step = (text: string, options: string[] = []): Step => ({ text, options })
const on = (verb: string, { target, options }: Located, more = ''): Step => step(`${verb} ${target}${more}`, options)
const arg = (args: Args, scope: Scope, at = 0): Text => textOf(args[at] ?? giveUp('lacks an argument'), scope)

type PageCall = (args: Args, scope: Scope) => Step | undefined

/** What is done with the page itself; undefined for what Molar does by itself. */
const pageCalls: Record<string, PageCall> = {
  goto: (args, scope) => step(`Navigate to ${bare(arg(args, scope))}`),
  reload: () => step('Reload'),
  goBack: () => step('Navigate back'),
  goForward: () => step('Navigate forward'),
  waitForTimeout: (args) => step(`Wait ${literalOf(args[0]) ?? giveUp('waits for a time that is not known')}ms`),
  waitForURL: (args, scope) => step(`Wait for url ${urlPattern(args[0], scope)}`),
  waitForLoadState: () => undefined,
  setViewportSize: () => giveUp('sets the viewport: write viewport into the front matter'),
  screenshot: (args) => {
    const full = args[0] && literalOf(fieldsOf(args[0]).get('fullPage')) === true
    return step('Screenshot', full ? ['full_page: true'] : [])
  },
  'keyboard.press': (args) => step(`Press ${keyOf(args[0])}`),
  'keyboard.type': (args, scope) => step(`Type ${quoted(arg(args, scope))}`),
  close: () => step('Close tab'),
  pause: () => step('Debug'),
}

/** What older specs call on the page with a selector first. */
const selectorCalls = new Set(
  'click dblclick fill type press check uncheck hover focus selectOption setInputFiles tap waitForSelector'.split(' '),
)

type LocatorCall = (located: Located, args: Args, scope: Scope) => Step | undefined

const locatorCalls: Record<string, LocatorCall> = {
  click(located, args) {
    const fields = fieldsOf(args[0])
    const right = literalOf(fields.get('button')) === 'right'
    const twice = literalOf(fields.get('clickCount')) === 2
    if (fields.has('modifiers')) giveUp('clicks with a key held down')
    return on(right ? 'Right click' : twice ? 'Double click' : 'Click', located)
  },
  dblclick: (located) => on('Double click', located),
  tap: (located) => on('Click', located),
  fill: (located, args, scope) => fill(located, arg(args, scope), scope),
  clear: (located) => on('Clear', located),
  type: (located, args, scope) => step(`Type ${quoted(arg(args, scope))} into ${located.target}`, located.options),
  pressSequentially: (located, args, scope) =>
    step(`Type ${quoted(arg(args, scope))} into ${located.target}`, located.options),
  press: (located, args) => step(`Press ${keyOf(args[0])} in ${located.target}`, located.options),
  check: (located) => on('Check', located),
  uncheck: (located) => on('Uncheck', located),
  setChecked: (located, args) => on(literalOf(args[0]) === false ? 'Uncheck' : 'Check', located),
  selectOption: (located, args, scope) =>
    step(`Select ${choices(args[0], scope).map(quoted).join(', ')} in ${located.target}`, located.options),
  hover: (located) => on('Hover', located),
  focus: (located) => on('Focus', located),
  scrollIntoViewIfNeeded: (located) => on('Scroll to', located),
  dragTo: (located, args, scope) =>
    step(
      `Drag ${bracket(located.target)} to ${bracket(locate(args[0] ?? giveUp('drags nowhere'), scope).target)}`,
      located.options,
    ),
  setInputFiles(located, args, scope) {
    const { written } = arg(args, scope)
    const name = written.split('/').at(-1) ?? written
    return {
      ...step(`Upload "${name}" to ${located.target}`, located.options),
      note: `uploads a file: put ${name} beside the scenario`,
    }
  },
  waitFor(located, args) {
    const state = literalOf(fieldsOf(args[0]).get('state')) ?? 'visible'
    return on('Wait for', located, state === 'hidden' || state === 'detached' ? ' to be hidden' : '')
  },
  waitForSelector: (located, args, scope) => locatorCalls.waitFor!(located, args, scope),
  screenshot: () => step('Screenshot'),
  blur: () => giveUp('blurs a field: press Tab instead'),
}

/** `page.goto(…)`, `page.getBy….click()`: the step, or undefined where none is needed. Throws NotCarried. */
export function stepOfCall(call: CallExpression, scope: Scope): Step | undefined {
  const { callee } = call
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier')
    return giveUp('is no call that is known')
  const method = callee.property.name
  const { object } = callee
  if (isPage(object, scope)) {
    const known = pageCalls[method]
    if (known) return known(call.arguments, scope)
    if (!selectorCalls.has(method)) return giveUp(`uses page.${method}, which has no step here`)
    const located = bySelector(arg(call.arguments, scope).written)
    return locatorCalls[method]!(located, call.arguments.slice(1), scope)
  }
  if (object.type === 'MemberExpression' && isPage(object.object, scope) && object.property.type === 'Identifier') {
    const known = pageCalls[`${object.property.name}.${method}`]
    return known
      ? known(call.arguments, scope)
      : giveUp(`uses page.${object.property.name}.${method}, which has no step here`)
  }
  const known = locatorCalls[method] ?? giveUp(`uses ${method}, which has no step here`)
  return known(locate(object, scope), call.arguments, scope)
}

export const passwordNote = 'had its password in clear: it is now ${secrets.PASSWORD}, set it as MOLAR_SECRET_PASSWORD'

/** A password that stands in clear in the spec does not go on into the scenario. */
function fill(located: Located, value: Text, scope: Scope): Step {
  if (value.written === '') return on('Clear', located)
  if (value.reference || !/pass(word|code|phrase)|\bpin\b/i.test(located.target))
    return step(`Fill ${located.target} with ${quoted(value)}`, located.options)
  scope.secrets.add('PASSWORD')
  return {
    ...step(`Fill ${located.target} with \${secrets.PASSWORD}`, located.options),
    note: passwordNote,
  }
}

const bracket = (target: string): string => (/ (in|to) /.test(target) ? `(${target})` : target)

function choices(node: Node | undefined, scope: Scope): Text[] {
  if (!node) return giveUp('selects nothing')
  if (node.type === 'ArrayExpression')
    return (node as unknown as { elements: Node[] }).elements.flatMap((one) => choices(one, scope))
  if (node.type !== 'ObjectExpression') return [textOf(node, scope)]
  const fields = fieldsOf(node)
  const value = fields.get('label') ?? fields.get('value')
  return value ? [textOf(value, scope)] : giveUp('selects by place: write what a person reads')
}

function keyOf(node: Node | undefined): string {
  const key = literalOf(node)
  if (key === ' ') return 'Space'
  return typeof key === 'string' && /^[\w+]+$/.test(key) ? key : giveUp('presses a key that is not known')
}

/** A path or a URL stands bare where it has no white space. */
export function bare(text: Text): string {
  if (text.reference) return text.written
  const unescaped = text.written.replace(/\\(["\\])/g, '$1')
  if (unescaped === '' || unescaped === '.') return '/'
  if (/\s/.test(unescaped)) return giveUp('has white space in its address')
  return /^(https?:\/\/|\/|\$\{)/.test(unescaped) ? unescaped : `/${unescaped}`
}

/** A glob, or a regular expression that is plain text. */
export function urlPattern(node: Node | undefined, scope: Scope): string {
  if (!node) return giveUp('has no address')
  const plain = plainRegex(node)
  if (plain !== undefined) return `contains ${bareText(plain)}`
  if (node.type === 'Literal' && 'regex' in node) return globOf(node)
  const address = bare(textOf(node, scope))
  if (!address.includes('*')) return `is ${address}`
  return `matches ${address.replace(/^https?:\/\/[^/]*|^\/?\*\*(?=\/)/, '') || '/**'}`
}

const bareText = (text: string): string => (/\s/.test(text) ? giveUp('has white space in its address') : text)

/** `/\/orders\/\d+$/` says the same as `/orders/*`; most others say more than a glob can. */
function globOf(node: Node): string {
  const { pattern } = (node as unknown as { regex: { pattern: string } }).regex
  const glob = pattern
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/^\.\*/, '')
    .replace(/\\d\+|\[\^\/\]\+|\[0-9\]\+|\\w\+|\[\\w-\]\+/g, '\u0000')
    .replace(/\.\*$/, '\u0001')
    .replace(/\\([/.?-])/g, '$1')
  if (/[\\^$+()[\]{}|?]|\.\*/.test(glob) || !glob.startsWith('/'))
    return giveUp('matches the address with a regular expression: write a glob, such as /orders/*')
  return `matches ${glob.replaceAll('\u0000', '*').replaceAll('\u0001', '**')}`
}
