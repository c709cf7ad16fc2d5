import { listApps } from './list.ts'
import { revokeApp } from './revoke.ts'

export const appCommands = [listApps, revokeApp]
