import { createKey } from './create.ts'
import { listKeys } from './list.ts'
import { revokeKey } from './revoke.ts'

export { type ExpiryPlace, warnOfExpiry } from './expiry.ts'
export { type Key, scopeList } from './key.ts'
export { expiresSoon, insertKey } from './store.ts'
export { isWellFormedToken, newToken, type TokenKind, tokenKinds, tokenPrefix } from './token.ts'
export const keyCommands = [createKey, listKeys, revokeKey]
