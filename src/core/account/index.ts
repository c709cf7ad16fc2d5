import { deleteAccount } from './delete.ts'
import { getAccount } from './get.ts'
import { authMe } from './me.ts'
import { removePasskey } from './remove-passkey.ts'
import { tenantMember } from './tenant-member.ts'
import { updateAccount } from './update.ts'

export type { Account } from './account.ts'
export const accountCommands = [getAccount, updateAccount, removePasskey, deleteAccount, authMe, tenantMember]
