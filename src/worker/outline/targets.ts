import type { Locator, Page } from 'playwright-core'
import { compileScenario } from '../../core/scenarios/compiled.ts'
import type { Target, Want } from '../../core/scenarios/index.ts'
import { lookOnPage } from '../../core/scenarios/look.ts'
import { fold, isActing, isHolding, isShown, type PageNode, type Placed, textOfNode } from './nodes.ts'

/** How a scenario names a node, and how many elements that means. */
export interface NamedNode extends Placed {
  target: string
  matches: number
}

const mostNodes = 250
const mostNarrowed = 80

/** A target for everything on the page that steps act on or look at; narrowed where the plain one means several. */
export async function nameNodes(page: Page, placed: readonly Placed[]): Promise<NamedNode[]> {
  const shown = placed.filter(({ node }) => isShown(node)).slice(0, mostNodes)
  const plain = await Promise.all(shown.map(async (one) => ({ ...one, target: await plainTarget(page, one.node) })))
  const named = plain.flatMap((one) => (one.target === undefined ? [] : [{ ...one, target: one.target }]))
  const looks = new Map<string, Promise<number>>()
  const parsed = readTargets(named.map(({ target }) => target))
  const counted: NamedNode[] = []
  for (const one of named) {
    const target = parsed.get(one.target)
    if (!target) continue
    const look = looks.get(one.target) ?? lookOnPage(page, target, wantOf(one.node)).then(({ count }) => count)
    looks.set(one.target, look)
    counted.push({ ...one, matches: await look })
  }
  return narrowAll(page, counted)
}

/** What a step does with such a node. */
function wantOf({ role }: PageNode): Want {
  if (['textbox', 'searchbox', 'spinbutton', 'slider'].includes(role)) return 'fill'
  if (['combobox', 'listbox'].includes(role)) return 'select'
  if (['checkbox', 'radio', 'switch'].includes(role)) return 'check'
  return isActing({ role }) ? 'click' : 'see'
}

async function plainTarget(page: Page, node: PageNode): Promise<string | undefined> {
  const name = fold(node.name ?? '')
  if (name !== '')
    return name.length <= 120 ? `${node.role} ${quote(name)}` : `${node.role} ${quote(name.slice(0, 60))}`
  if (!isActing(node)) {
    const text = textOfNode(node)
    if (['alert', 'status', 'dialog', 'alertdialog', 'iframe', 'progressbar'].includes(node.role)) return node.role
    return node.role === 'heading' && text !== '' ? `heading ${quote(text.slice(0, 60))}` : undefined
  }
  const marks = node.ref === undefined ? undefined : await marksOf(page.getByRef(node.ref))
  if (marks?.testid) return `testid ${quote(marks.testid)}`
  if (marks?.placeholder) return quote(marks.placeholder)
  if (marks?.id) return `\`#${marks.id}\``
  return marks?.name ? `\`${marks.tag}[name=${marks.name}]\`` : node.role
}

/** What an element without a name can be told by. */
async function marksOf(locator: Locator) {
  return locator
    .evaluate(
      (element) => {
        const plain = (value: string | null) => (value && /^[A-Za-z][\w-]{0,60}$/.test(value) ? value : undefined)
        return {
          tag: element.tagName.toLowerCase(),
          testid: element.getAttribute('data-testid') ?? undefined,
          placeholder: element.getAttribute('placeholder')?.trim() || undefined,
          id: plain(element.id),
          name: plain(element.getAttribute('name')),
        }
      },
      undefined,
      { timeout: 500 },
    )
    .catch(() => undefined)
}

async function narrowAll(page: Page, named: readonly NamedNode[]): Promise<NamedNode[]> {
  const result: NamedNode[] = []
  let tries = 0
  for (const one of named) {
    if (one.matches <= 1 || ++tries > mostNarrowed) result.push(one)
    else result.push(await narrow(page, one, named))
  }
  return result
}

/** The first of these that means this very element: in the row, item or part that holds it, or else by its place. */
async function narrow(page: Page, one: NamedNode, all: readonly NamedNode[]): Promise<NamedNode> {
  const { node, above, target } = one
  const holders = [...above].reverse().filter(isHolding)
  const narrowed = holders.flatMap((holder) => labelsOf(holder, node).map((label) => `${target} in ${label}`))
  const place = all.filter((other) => other.target === target).indexOf(one) + 1
  const tries = [...narrowed.slice(0, 6), `${target} {nth: ${place}}`]
  const parsed = readTargets(tries)
  for (const text of tries) {
    const wanted = parsed.get(text)
    if (wanted && (await means(page, wanted, node))) return { ...one, target: text, matches: 1 }
  }
  return one
}

async function means(page: Page, target: Target, node: PageNode): Promise<boolean> {
  const { count, locator } = await lookOnPage(page, target, wantOf(node))
  if (count !== 1 || node.ref === undefined) return count === 1
  return (await locator.and(page.getByRef(node.ref)).count()) === 1
}

/** Ways to name what holds a node: by its own name, by a text in it, or by its role alone. */
function labelsOf(holder: PageNode, node: PageNode): string[] {
  const own = fold(holder.name ?? '')
  if (own !== '' && own.length <= 80) return [`${holder.role} ${quote(own)}`]
  if (['banner', 'main', 'contentinfo', 'navigation', 'search', 'dialog', 'alertdialog'].includes(holder.role))
    return [holder.role]
  const texts = new Set<string>()
  const walk = (part: PageNode | string) => {
    if (part === node || texts.size >= 2) return
    const text = textOfNode(part)
    const leaf = typeof part === 'string' || part.name !== undefined || part.text !== undefined
    if (leaf && text !== '' && text.length <= 60 && text !== fold(node.name ?? '')) texts.add(text)
    else if (typeof part !== 'string') part.children?.forEach(walk)
  }
  holder.children?.forEach(walk)
  return [...texts].map((text) => `${holder.role} ${quote(text)}`)
}

/** As a scenario writes what a person sees. */
export const quote = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('${', '\\${')}"`

/** What the compiler makes of targets; those that it does not take are missing. */
function readTargets(texts: readonly string[]): Map<string, Target> {
  const all = [...new Set(texts)]
  // One scenario with a step each; where one is not taken, it is told by itself.
  const together = hovers(all)
  const each = together.length === all.length ? together : all.map((text) => hovers([text])[0])
  return new Map(all.flatMap((text, at) => (each[at] ? [[text, each[at]]] : [])))
}

/** The targets of a scenario that hovers over these; none where one of them is not taken. */
function hovers(texts: readonly string[]): Target[] {
  const steps = texts.map((text) => {
    const { head, choice } = /^(?<head>.*?)(?<choice> \{nth: \d+\})?$/s.exec(text)!.groups as Record<string, string>
    return `1. Hover ${head}${choice ?? ''}\n`
  })
  const result = compileScenario(front + steps.join(''))
  return result.ok ? result.plan.steps.flatMap((step) => (step.verb === 'hover' ? [step.target] : [])) : []
}

const front = `---
spec_version: '1.0'
id: 019301c0-cafe-7000-bea7-000000000001
slug: target
description: One target.
---
# Target

## Steps
`
