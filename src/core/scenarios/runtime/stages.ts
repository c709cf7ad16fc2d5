import type { Locator, Page } from 'playwright-core'
import { StepFailure } from './failure.ts'
import { foldText, wholeText } from './matching.ts'

/** What the step means to do with a target: decides which elements can be meant. */
export type Want = 'see' | 'click' | 'fill' | 'value' | 'check' | 'select' | 'file' | 'frame' | 'container'

/** One way to read a name. `weak` ones lose to a stronger one that comes a moment later. */
export interface Stage {
  how: 'role' | 'label' | 'placeholder' | 'title' | 'text' | 'given'
  locator: Locator
  whole: boolean
}

export type AriaRole = Parameters<Page['getByRole']>[0]

const fillable =
  'css=input:not([type=button],[type=submit],[type=reset],[type=image],[type=checkbox],[type=radio],[type=file],[type=hidden]),' +
  'textarea,[contenteditable]:not([contenteditable=false]),[role=textbox],[role=searchbox]'
const selectable = 'css=select,[role=combobox],[role=listbox],[aria-haspopup=listbox]'
const checkable =
  'css=input[type=checkbox],input[type=radio],[role=checkbox],[role=radio],[role=switch],[role=menuitemcheckbox],[role=menuitemradio],label'
const container =
  'css=tr,li,article,section,fieldset,form,dialog,details,table,ul,ol,nav,aside,main,header,footer,' +
  '[role=row],[role=listitem],[role=article],[role=region],[role=group],[role=form],[role=dialog],[role=alertdialog],' +
  '[role=tabpanel],[role=treeitem],[role=menu],[role=toolbar],[role=list],[role=table],[role=grid],[role=radiogroup]'

const wantedElements: Partial<Record<Want, string>> = {
  fill: fillable,
  value: `${fillable},select`,
  check: checkable,
  select: selectable,
  frame: 'css=iframe,frame',
}

const labelledFirst = new Set<Want>(['fill', 'value', 'check', 'select', 'file', 'frame'])

// Asking for a role costs a pass over the whole page, so each want asks for its own few.
const firstRoles: Record<Want, AriaRole[]> = {
  see: ['button', 'link'],
  click: ['button', 'link'],
  fill: ['textbox'],
  value: ['textbox'],
  check: ['checkbox', 'radio', 'switch'],
  select: ['combobox', 'listbox'],
  file: [],
  frame: [],
  container: ['row', 'dialog', 'region'],
}

export const interactiveRoles: AriaRole[] = [
  ...([
    'button',
    'link',
    'textbox',
    'searchbox',
    'checkbox',
    'radio',
    'switch',
    'combobox',
    'listbox',
    'option',
  ] satisfies AriaRole[]),
  ...([
    'menuitem',
    'menuitemcheckbox',
    'menuitemradio',
    'tab',
    'treeitem',
    'slider',
    'spinbutton',
  ] satisfies AriaRole[]),
  ...(['gridcell', 'scrollbar'] satisfies AriaRole[]),
]

/** Native elements with a role that is named by its content or otherwise not by a label. */
export const nativeRoles: Record<string, AriaRole> = { OPTION: 'option', SUMMARY: 'button' }

type NameTest = { name: string | RegExp; exact: boolean }

function nameTest(name: string, whole: boolean, exact: boolean): NameTest {
  if (exact) return { name, exact: true }
  return { name: whole ? wholeText(name) : name, exact: false }
}

/**
 * The first thing to try for a name alone, because it mostly is the answer: buttons and links for who clicks or looks,
 * labels for who fills in a form, where accessible name and label are the same text.
 */
export function firstStage(page: Page, name: string, want: Want, whole: boolean, exact: boolean): Stage {
  if (!labelledFirst.has(want)) return roleStage(page, firstRoles[want], name, want, whole, exact)
  const label = page.getByLabel(nameTest(name, whole, exact).name, { exact })
  return { how: 'label', locator: onlyWanted(page, label, want), whole }
}

/** Any of these roles with that accessible name. */
export function roleStage(
  page: Page,
  roles: AriaRole[],
  name: string,
  want: Want,
  whole: boolean,
  exact: boolean,
): Stage {
  const test = nameTest(name, whole, exact)
  const [first, ...others] = roles.map((role) => page.getByRole(role, test))
  const union = others.reduce((all, one) => all.or(one), first!)
  return { how: 'role', locator: onlyWanted(page, union, want), whole }
}

/** The rest of the chain for a name alone, in its order. */
export function laterStages(page: Page, name: string, want: Want, whole: boolean, exact: boolean): Stage[] {
  const { name: text } = nameTest(name, whole, exact)
  const titled = page.getByTitle(text, { exact }).or(page.getByAltText(text, { exact }))
  const first: Stage[] = []
  if (!labelledFirst.has(want)) first.push({ how: 'label', locator: page.getByLabel(text, { exact }), whole })
  else if (firstRoles[want].length > 0) first.push(roleStage(page, firstRoles[want], name, want, whole, exact))
  const stages: Stage[] = [
    ...first,
    { how: 'placeholder', locator: page.getByPlaceholder(text, { exact }), whole },
    { how: 'title', locator: want === 'frame' ? titled.or(frameNamed(page, name)) : titled, whole },
  ]
  if (want !== 'fill' && want !== 'value' && want !== 'select' && want !== 'frame') {
    stages.push({
      how: 'text',
      locator: want === 'container' ? around(page, text) : page.getByText(text, { exact }),
      whole,
    })
  }
  return stages.map((stage) => ({ ...stage, locator: onlyWanted(page, stage.locator, want) }))
}

// A person says "in the dialog's frame" by its title, a developer by its name or id.
function frameNamed(page: Page, name: string): Locator {
  const quoted = JSON.stringify(foldText(name))
  return page.locator(`css=iframe[name=${quoted} i],iframe[id=${quoted} i],frame[name=${quoted} i]`)
}

/** The innermost row, item, form … that shows a text. */
function around(page: Page, text: string | RegExp): Locator {
  const holding = page.locator(container).filter({ has: page.getByText(text) })
  return holding.filter({ hasNot: page.locator(container).filter({ has: page.getByText(text) }) })
}

function onlyWanted(page: Page, locator: Locator, want: Want): Locator {
  const css = wantedElements[want]
  return css === undefined ? locator : locator.and(page.locator(css))
}

// These take no name from what they hold, yet that is how a person names them: alert "Saved", listitem "Ada".
const namedByContent = new Set(
  'alert alertdialog article banner blockquote caption code complementary contentinfo definition deletion dialog emphasis feed figure form grid group insertion list listbox listitem log main marquee math menu menubar navigation none note paragraph radiogroup region search status strong subscript superscript table tablist tabpanel term time timer toolbar tree treegrid'.split(
    ' ',
  ),
)

/** The ways to read `role "name"`, strongest first. */
export function stagesForRole(page: Page, role: string, name: string | undefined, exact: boolean): Stage[] {
  const known = role as AriaRole
  if (name === undefined) return [{ how: 'given', locator: page.getByRole(known), whole: true }]
  return (exact ? [true] : [true, false]).flatMap((whole) => {
    const test = nameTest(name, whole, exact)
    const named: Stage = { how: 'role', locator: page.getByRole(known, test), whole }
    if (role === 'textbox') named.locator = named.locator.or(passwordField(page, test))
    if (!namedByContent.has(role)) return [named]
    const holding = page.getByRole(known).filter({ hasText: test.name })
    return [named, { how: 'text' as const, locator: holding.filter({ hasNot: holding }), whole }]
  })
}

// A password field has no role of its own; to a person it is a text box like any other.
function passwordField(page: Page, { name, exact }: NameTest): Locator {
  return page.getByLabel(name, { exact }).and(page.locator('css=input[type=password]'))
}

/** A CSS selector and nothing else: no other engine, no chain, no regular expression. */
export function cssStage(page: Page, css: string): Stage {
  const refused = css.includes('>>') || css.includes(':text-matches') || css.includes('internal:')
  if (refused || css.trim() === '') {
    throw new StepFailure('action', `\`${css}\` is not a plain CSS selector.`, {
      hint: 'Only CSS stands in backticks; narrow a target with `in` instead of `>>`.',
    })
  }
  return { how: 'given', locator: page.locator(`css=${css}`), whole: true }
}
