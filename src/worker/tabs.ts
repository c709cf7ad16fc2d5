import type { BrowserContext } from 'playwright-core'
import type { Recorder } from './recorder.ts'

/** Tabs that a run may have open at once. */
const mostTabs = 25

/** Closes tabs that are too many, and says so once: each may be a process, and they take their time from other runs. */
export function boundTabs(context: BrowserContext, recorder: Recorder): void {
  const message = `More than ${mostTabs} tabs are open: those that its pages open now are closed at once.`
  let told = false
  context.on('page', (page) => {
    if (context.pages().length <= mostTabs) return
    if (!told) recorder.emit({ kind: 'log', level: 'warn', about: 'tabs', message })
    told = true
    void page.close().catch(() => {}) // it may have closed itself
  })
}
