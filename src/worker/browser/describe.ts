import type { FoundBrowser } from './find.ts'
import { describeMissingBrowser } from './missing.ts'
import type { PoolState } from './pool.ts'
import { browserUid, mustDropRoot } from './reach.ts'

/** What `molar doctor` and /readyz say of the browser. `mend` is there when something is to be done. */
export interface BrowserFacts {
  ready: boolean
  path?: string
  kind?: string
  version?: string
  source?: string
  sandbox: 'on' | 'off'
  /** Under whose rights strangers' pages run. */
  runs_as: string
  pool?: PoolState
  mend?: string
}

/** The facts, without starting anything. */
export function describeBrowser(
  found: FoundBrowser | undefined,
  sandbox: 'on' | 'off',
  pool?: PoolState,
): BrowserFacts {
  const runsAs = mustDropRoot() ? `uid ${browserUid}` : `uid ${process.getuid?.() ?? 'of this user'}`
  const common = { sandbox, runs_as: runsAs, ...(pool ? { pool } : {}) }
  if (!found) return { ready: false, ...common, mend: describeMissingBrowser() }
  const { path, kind, version, source } = found
  const mend =
    sandbox === 'off' ? { mend: 'The sandbox is off: pages run with the rights above. Set MOLAR_SANDBOX=on.' } : {}
  return { ready: true, path, kind, version, source, ...common, ...mend }
}
