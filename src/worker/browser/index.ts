/** What the rest of Molar may use of the browser. */
export { isAllowed, type OriginPattern } from './allowed.ts'
export { type BrowserFacts, describeBrowser } from './describe.ts'
export { browsersIn, configuredBrowser, type FindOptions, type FoundBrowser, findBrowser } from './find.ts'
export { type InstallOptions, installBrowser } from './install.ts'
export { type StartOptions, startBrowser, type WarmBrowser } from './launch.ts'
export { describeMissingBrowser } from './missing.ts'
export { holdToOrigins, type OriginHold, type OriginOptions } from './origins.ts'
export { type BrowserPool, browserPool, type Lease, type PoolOptions, type PoolState } from './pool.ts'
