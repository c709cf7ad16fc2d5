import type { BrowserServer, BrowserType, LaunchOptions } from 'playwright-core'

/** What the worker writes to the holder's stdin, on one line. Not its arguments: those any user of the machine can read. */
export interface HolderOrder {
  /** The path of Playwright's CommonJS. */
  playwright: string
  /** Where Node keeps what it compiled of Playwright, if anywhere. */
  compileCache: string | undefined
  uid: number
  home: string
  path: string
  launch: LaunchOptions
}

/** What the holder writes to stdout, on one line. */
export type HolderAnswer = { endpoint: string } | { error: string }

/**
 * The whole program of the process that holds a browser for a root worker: it loads Playwright while it still may read
 * it, gives root up, and serves one browser until its stdin closes (then its parent is gone or wants it gone).
 * It is started as `node -e`, by its text: so it may use nothing from around it, and works from any folder and any bundle.
 */
export async function holdBrowser(): Promise<void> {
  const fs = process.getBuiltinModule('node:fs')
  const say = (answer: HolderAnswer) => process.stdout.write(`${JSON.stringify(answer)}\n`)
  const order = await new Promise<HolderOrder>((resolve) => {
    let text = ''
    process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.endsWith('\n')) resolve(JSON.parse(text) as HolderOrder)
    })
  })
  // Playwright makes an error of every command that it sends, in case it fails: without a stack that costs next to nothing.
  Error.stackTraceLimit = 0
  let server: BrowserServer | undefined
  const leave = async () => {
    setTimeout(() => process.exit(1), 3000).unref()
    await server?.close().catch(() => undefined)
    fs.rmSync(order.home, { recursive: true, force: true, maxRetries: 3 })
    process.exit(0)
  }
  process.stdin.on('end', leave).on('close', leave)
  try {
    const { createRequire, enableCompileCache, flushCompileCache } = process.getBuiltinModule('node:module')
    if (order.compileCache !== undefined) enableCompileCache(order.compileCache)
    // Not by import: that reads all of its 3.5 MB for the names of exports first.
    const { chromium } = createRequire(order.playwright)(order.playwright) as { chromium: BrowserType }
    flushCompileCache() // as long as it may write there
    process.setgroups?.([])
    process.setgid?.(order.uid)
    process.setuid?.(order.uid)
    process.chdir(order.home)
    server = await chromium.launchServer({ ...order.launch, host: '127.0.0.1', port: 0, wsPath: order.path })
    server.on('close', leave)
    say({ endpoint: server.wsEndpoint() })
  } catch (cause) {
    say({ error: cause instanceof Error ? cause.message : String(cause) })
    await leave()
  }
}
