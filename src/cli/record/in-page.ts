/** What the page tells: a value typed into a password field, or something that is to be asserted. */
export type Told =
  | { what: 'password'; value: string }
  /** A key was pressed: on an element, or on the page where nothing has the focus. */
  | { what: 'key'; focused: boolean }
  | { what: 'text'; text: string }
  | { what: 'value'; label: string; value: string }
  | { what: 'checked'; label: string; checked: boolean }

/**
 * Runs in every page before its own scripts. Alt+Shift+click asserts what is clicked and goes no further; values of
 * password fields are told so that they never stand in the scenario.
 */
export function watchPage(binding: string): void {
  const tell = (told: Told) => (window as unknown as Record<string, (told: Told) => void>)[binding]?.(told)
  const fold = (text: string | null | undefined) => (text ?? '').replace(/\s+/g, ' ').trim()
  window.addEventListener(
    'input',
    ({ target }) => {
      if (target instanceof HTMLInputElement && target.type === 'password')
        tell({ what: 'password', value: target.value })
    },
    true,
  )
  window.addEventListener('keydown', ({ target }) => tell({ what: 'key', focused: target !== document.body }), true)
  const labelOf = (field: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement) =>
    fold(field.labels?.[0]?.innerText) ||
    fold(field.getAttribute('aria-label')) ||
    fold(field.getAttribute('placeholder'))
  const assert = (element: Element) => {
    const field = element.closest('input,textarea,select') as HTMLInputElement | null
    const label = field && labelOf(field)
    if (field && label && field.type !== 'password') {
      if (field.type === 'checkbox' || field.type === 'radio')
        return tell({ what: 'checked', label, checked: field.checked })
      return tell({ what: 'value', label, value: field.value })
    }
    // Of what holds much, its first line: that is what a person means by it.
    const [first = ''] = (element as HTMLElement).innerText.split('\n').map(fold).filter(Boolean)
    const text = first.slice(0, 120)
    if (text !== '') tell({ what: 'text', text })
  }
  const marked = (event: MouseEvent) => event.altKey && event.shiftKey
  for (const kind of ['pointerdown', 'pointerup', 'mousedown', 'mouseup', 'click', 'auxclick', 'dblclick'] as const) {
    window.addEventListener(
      kind,
      (event) => {
        if (!marked(event)) return
        event.preventDefault()
        event.stopImmediatePropagation()
        if (kind === 'click' && event.target instanceof Element) assert(event.target)
      },
      true,
    )
  }
}
