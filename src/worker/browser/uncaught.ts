/** How to end each browser that Playwright talks with in this process. */
const ends = new Set<(cause: Error) => void>()

/**
 * A browser that says what Playwright does not expect can make it throw where nobody catches. That shall cost the browsers
 * of this process and their runs, not the process, which may be the server of many orgs. Answers what takes `end` back.
 */
export function endOnUncaught(end: (cause: Error) => void): () => void {
  if (ends.size === 0) process.on('uncaughtException', thrown).on('unhandledRejection', rejected)
  ends.add(end)
  return () => {
    ends.delete(end)
    if (ends.size === 0) unwatch()
  }
}

const unwatch = () => process.off('uncaughtException', thrown).off('unhandledRejection', rejected)
const thrown = (error: unknown) => judge(error, 'uncaughtException')
const rejected = (error: unknown) => judge(error, 'unhandledRejection')

function judge(error: unknown, event: 'uncaughtException' | 'unhandledRejection'): void {
  if (error instanceof Error && isOfPlaywright(error)) {
    for (const end of [...ends]) end(error)
  } else if (process.listenerCount(event) === 1) {
    // As if nobody listened.
    unwatch()
    setImmediate(() => {
      throw error
    })
  }
}

/** Thrown by Playwright's own code, not by what it calls back. */
function isOfPlaywright({ stack = '' }: Error): boolean {
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line))
  return frames.find((line) => !/\(<anonymous>\)|node:/.test(line))?.includes('playwright-core') ?? false
}
