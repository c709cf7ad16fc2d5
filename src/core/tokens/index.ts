import { createToken } from './create.ts'
import { listTokens } from './list.ts'
import { renewToken } from './renew.ts'
import { revokeToken } from './revoke.ts'

export const tokenCommands = [createToken, listTokens, renewToken, revokeToken]
