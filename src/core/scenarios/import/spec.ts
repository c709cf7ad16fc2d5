import type { CallExpression, Node } from 'acorn'
import { newId } from '../../ids.ts'
import { parseSource, type Source } from './parse.ts'
import { fieldsOf, literalOf, NotCarried, pathOf, type Scope } from './values.ts'
import { bodyOf, isCall, type LeftOut, stepsOf, type Walk } from './walk.ts'

export interface ImportedScenario {
  slug: string
  title: string
  steps: number
  /** Line of its test in the spec. */
  line: number
  content: string
}

/** Scenarios of a Playwright spec, one a test, and all that could not be carried over, by line. */
export function importSpec(
  text: string,
  { baseUrl }: { baseUrl?: string | undefined } = {},
): { scenarios: ImportedScenario[]; leftOut: LeftOut[] } {
  const source = parseSource(text)
  const spec: Spec = { source, leftOut: [], scenarios: [], slugs: new Set(), baseUrl }
  readGroup(source.program.body, spec, { titles: [], scope: newScope(), before: [], after: [] })
  return { scenarios: spec.scenarios, leftOut: spec.leftOut.sort((a, b) => a.line - b.line) }
}

interface Spec {
  source: Source
  leftOut: LeftOut[]
  scenarios: ImportedScenario[]
  slugs: Set<string>
  baseUrl: string | undefined
}

/** A describe block, or the file: what holds for the tests in it. */
interface Group {
  titles: string[]
  scope: Scope
  before: readonly Node[]
  after: readonly Node[]
}

/** `page` is what every test calls its page, unless it says otherwise. */
const newScope = (): Scope => ({ names: new Map([['page', { kind: 'page' }]]), secrets: new Set(), env: new Set() })

function readGroup(statements: readonly Node[], spec: Spec, outer: Group): void {
  const group: Group = { ...outer, scope: { ...outer.scope, names: new Map(outer.scope.names) } }
  const tests: CallExpression[] = []
  for (const statement of statements) {
    if (statement.type === 'ImportDeclaration') continue
    const call = isCall(statement)
    const name = call && pathOf(call.callee)
    const body = (at: number) => attempt(spec, statement, () => bodyOf(call?.arguments[at])) ?? []
    if (!call || name === undefined) stepsOf([statement], { ...spec, scope: group.scope })
    else if (/^(test|it)(\.(only|skip|fixme|slow))?$/.test(name) && call.arguments.length >= 2) tests.push(call)
    else if (/^test\.describe(\.(only|serial|parallel|skip))?$/.test(name) && call.arguments.length >= 2)
      readGroup(body(call.arguments.length - 1), spec, { ...group, titles: [...group.titles, titleOf(call)] })
    else if (name === 'test.beforeEach') group.before = [...group.before, ...body(call.arguments.length - 1)]
    else if (name === 'test.afterEach') group.after = [...body(call.arguments.length - 1), ...group.after]
    else if (name === 'test.use') readUse(call, statement, spec)
    else if (name !== 'test.describe.configure') {
      const why = /^test\.(before|after)All$/.test(name)
        ? 'runs once for all tests: every scenario stands for itself'
        : 'is no test'
      leave(spec, statement, why)
    }
  }
  for (const test of tests) readTest(test, group, spec)
}

const titleOf = (call: CallExpression): string => String(literalOf(call.arguments[0]) ?? 'test')

function readTest(call: CallExpression, group: Group, spec: Spec): void {
  const scope: Scope = { names: new Map(group.scope.names), secrets: new Set(), env: new Set() }
  const walk: Walk = { source: spec.source, leftOut: spec.leftOut, scope }
  const body = attempt(spec, call, () => bodyOf(call.arguments.at(-1))) ?? []
  nameFixtures(call.arguments.at(-1), scope)
  const setup = stepsOf(group.before, walk)
  const steps = stepsOf(body, walk)
  const teardown = stepsOf(group.after, walk)
  const title = titleOf(call)
  if (steps.length === 0) {
    // A scenario needs steps: a test of nothing but its preparation is that preparation.
    steps.push(...setup.splice(0))
  }
  if (steps.length === 0) {
    leave(spec, call, 'has nothing that could be carried over')
    return
  }
  const slug = freeSlug([...group.titles, title], spec.slugs)
  const content = write({
    slug,
    title: [...group.titles, title].join(': '),
    setup,
    steps,
    teardown,
    scope,
    baseUrl: spec.baseUrl,
  })
  const line = spec.source.lineOf(call)
  spec.scenarios.push({ slug, title, steps: setup.length + steps.length + teardown.length, line, content })
}

/** `async ({ page: shop }) =>` calls the page shop. */
function nameFixtures(callback: Node | undefined, scope: Scope): void {
  const [fixtures] = (callback as { params?: Node[] } | undefined)?.params ?? []
  if (fixtures?.type !== 'ObjectPattern') return
  for (const property of (
    fixtures as unknown as { properties: { key?: { name?: string }; value?: { name?: string } }[] }
  ).properties) {
    if (property.key?.name === 'page' && property.value?.name) scope.names.set(property.value.name, { kind: 'page' })
  }
}

function readUse(call: CallExpression, statement: Node, spec: Spec): void {
  attempt(spec, statement, () => {
    const fields = fieldsOf(call.arguments[0])
    const url = literalOf(fields.get('baseURL'))
    if (typeof url === 'string' && /^https?:/.test(url)) spec.baseUrl ??= url
    const others = [...fields.keys()].filter((key) => key !== 'baseURL')
    if (others.length > 0)
      throw new NotCarried(`sets ${others.join(', ')}: see viewport, locale and the like in the front matter`)
  })
}

function attempt<Result>(spec: Spec, node: Node, work: () => Result): Result | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof NotCarried)) throw error
    leave(spec, node, error.message)
    return undefined
  }
}

function leave({ source, leftOut }: Spec, node: Node, reason: string): void {
  leftOut.push({ line: source.lineOf(node), code: source.show(node), reason, carried: false })
}

function freeSlug(titles: readonly string[], taken: Set<string>): string {
  const slugOf = (text: string) =>
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 58)
  const short = slugOf(titles.at(-1) ?? '') || 'scenario'
  const long = slugOf(titles.join(' ')) || short
  let slug = taken.has(short) ? long : short
  for (let count = 2; taken.has(slug); count++) slug = `${long}-${count}`
  taken.add(slug)
  return slug
}

export interface Written {
  slug: string
  title: string
  setup?: readonly string[]
  steps: readonly string[]
  teardown?: readonly string[]
  scope: Pick<Scope, 'secrets'>
  baseUrl?: string | undefined
}

/** The text of a scenario with these steps and a fresh id. */
export function write({ slug, title, setup = [], steps, teardown = [], scope, baseUrl }: Written): string {
  const heading = title.replace(/\s+/g, ' ').trim() || slug
  const section = (name: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', `## ${name}`, ...lines.map((line, at) => `${at + 1}. ${line}`)]
  return [
    '---',
    `spec_version: '1.0'`,
    `id: ${newId()}`,
    `slug: ${JSON.stringify(slug)}`,
    `description: ${JSON.stringify(`${heading}.`.slice(0, 2000))}`,
    ...(baseUrl === undefined ? [] : [`base_url: ${JSON.stringify(baseUrl)}`]),
    ...(scope.secrets.size > 0 ? [`secrets: ${JSON.stringify([...scope.secrets].sort())}`] : []),
    '---',
    `# ${heading.replace(/[\\`*_<>#[\]]/g, '\\$&')}`,
    ...section('Setup', setup),
    ...section('Steps', steps),
    ...section('Teardown', teardown),
    '',
  ].join('\n')
}
