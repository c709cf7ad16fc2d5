import type { Page } from 'playwright-core'

/** A node of the page as assistive technology sees it. `ref` names its element until the next snapshot. */
export interface PageNode {
  role: string
  name?: string
  text?: string
  ref?: string
  url?: string
  level?: number
  checked?: boolean | 'mixed'
  disabled?: boolean
  expanded?: boolean
  selected?: boolean
  pressed?: boolean | 'mixed'
  children?: (PageNode | string)[]
}

/** A node with those around it, outermost first. */
export interface Placed {
  node: PageNode
  above: PageNode[]
}

/** The page's nodes in reading order. What lies in frames is left to who switches to them. */
export async function readNodes(page: Page, timeout: number): Promise<Placed[]> {
  const snapshot = (await page.ariaSnapshotJSON({ mode: 'ai', timeout })) as unknown
  const all: Placed[] = []
  const walk = (node: PageNode | string, above: PageNode[]) => {
    if (typeof node === 'string') {
      all.push({ node: { role: 'text', text: node }, above })
      return
    }
    all.push({ node, above })
    if (node.role === 'iframe') return
    for (const child of node.children ?? []) walk(child, [...above, node])
  }
  for (const node of [snapshot].flat() as PageNode[]) walk(node, [])
  return all
}

/** What a person reads in it, white space folded. */
export function textOfNode(node: PageNode | string): string {
  if (typeof node === 'string') return fold(node)
  const own = node.text ?? node.name
  return fold(own ?? (node.children ?? []).map(textOfNode).join(' '))
}

export const fold = (text: string): string => text.replace(/\s+/g, ' ').trim()

const acting = new Set(
  'button link textbox searchbox checkbox radio switch combobox listbox menuitem menuitemcheckbox menuitemradio tab treeitem slider spinbutton'.split(
    ' ',
  ),
)
const telling = new Set('heading dialog alertdialog alert status img iframe progressbar meter'.split(' '))
const holding = new Set(
  'dialog alertdialog navigation banner main contentinfo complementary region search form list listitem table row article group tabpanel toolbar menu tree treeitem'.split(
    ' ',
  ),
)

export const isActing = ({ role }: PageNode): boolean => acting.has(role)
export const isShown = (node: PageNode): boolean => acting.has(node.role) || telling.has(node.role)
/** What a target can be narrowed with. */
export const isHolding = ({ role }: PageNode): boolean => holding.has(role)
