import { chooseOrg } from './choose-org.ts'
import { listSessions } from './list.ts'
import { revokeSession } from './revoke.ts'
import { revokeOtherSessions } from './revoke-others.ts'

export const sessionCommands = [listSessions, revokeSession, revokeOtherSessions, chooseOrg]
