import { listApps } from './list.ts'
import { revokeApp } from './revoke.ts'

export type { App } from './app.ts'
export const appCommands = [listApps, revokeApp]
