import type { EventEmitter } from 'node:events'
import type { BrowserContext, ConsoleMessage, Dialog, Frame, Page, WebError } from 'playwright-core'
import { type BoundedEmitter, clip, textLimit, urlLimit } from './bounded.ts'
import type { Redactor } from './redact.ts'

const levels: Record<string, 'console.log' | 'console.warn' | 'console.error'> = {
  warning: 'console.warn',
  error: 'console.error',
  assert: 'console.error',
}

/** Turns what a context's pages say and do (not their network) into events, and names the pages p1, p2, … as they open. */
export function recordPages(context: BrowserContext, out: BoundedEmitter, redact: Redactor) {
  const names = new WeakMap<Page, string>()
  let count = 0

  function nameOf(page: Page | null): string | undefined {
    return page ? names.get(page) : undefined
  }

  function named(page: Page | null): { page?: string } {
    const name = nameOf(page)
    return name ? { page: name } : {}
  }

  function onPage(page: Page): void {
    if (names.has(page)) return
    names.set(page, `p${++count}`)
    page.on('framenavigated', (frame: Frame) => {
      if (frame !== page.mainFrame()) return
      out.emit({ kind: 'navigation', page: names.get(page)!, url: clip(frame.url(), urlLimit, redact) })
    })
    page.on('crash', () => out.emit({ kind: 'log', level: 'error', message: 'The page crashed.', ...named(page) }))
  }

  function onConsole(message: ConsoleMessage): void {
    const { url, lineNumber } = message.location()
    const where = url ? { url: clip(url, urlLimit, redact), line: lineNumber + 1 } : {}
    out.emit({
      kind: levels[message.type()] ?? 'console.log',
      text: clip(message.text(), textLimit, redact),
      ...where,
      ...named(message.page()),
    })
  }

  function onWebError(error: WebError): void {
    const cause = error.error()
    const text = clip(cause.message || String(cause), textLimit, redact)
    const stack = cause.stack ? { stack: clip(cause.stack, textLimit, redact) } : {}
    out.emit({ kind: 'console.error', text, unhandled: true, ...stack, ...named(error.page()) })
  }

  function onDialog(dialog: Dialog): void {
    const page = dialog.page()
    // Who else listens answers it, and tells of it. Alone we do as Playwright would if nobody listened: it no longer does.
    if (listening(context) - 1 + (page ? listening(page) : 0) > 0) return
    const message = clip(`${dialog.type()}: ${dialog.message()}`, textLimit, redact)
    out.emit({ kind: 'log', level: 'info', dialog: dialog.type(), message, ...named(page) })
    void (dialog.type() === 'beforeunload' ? dialog.accept() : dialog.dismiss()).catch(() => undefined)
  }

  for (const page of context.pages()) onPage(page)
  context.on('page', onPage).on('console', onConsole).on('weberror', onWebError).on('dialog', onDialog)

  return {
    nameOf,
    stop: () =>
      void context.off('page', onPage).off('console', onConsole).off('weberror', onWebError).off('dialog', onDialog),
  }
}

/** Playwright's types leave out what its emitters can do. */
function listening(emitter: BrowserContext | Page): number {
  return (emitter as unknown as EventEmitter).listenerCount('dialog')
}
