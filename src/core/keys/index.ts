import { createKey } from './create.ts'
import { listKeys } from './list.ts'
import { revokeKey } from './revoke.ts'

export type { Key } from './key.ts'
export { insertKey } from './store.ts'
export { isWellFormedToken, newToken, type TokenKind, tokenKinds, tokenPrefix } from './token.ts'
export const keyCommands = [createKey, listKeys, revokeKey]
