let stopping: AbortController | undefined

/** Aborts at the first SIGINT, SIGTERM or SIGHUP; a second one ends the process at once, with 130. */
export function stopSignal(): AbortSignal {
  if (stopping) return stopping.signal
  const controller = new AbortController()
  stopping = controller
  let first = 0
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // A terminal's Ctrl-C reaches bin/molar.js too, which sends it on: two within a moment are one.
      if (first > 0 && performance.now() - first > 300) process.exit(130)
      if (first > 0) return
      first = performance.now()
      controller.abort(name)
    })
  }
  return controller.signal
}
