import { acceptInvitation } from './accept.ts'
import { createInvitation } from './create.ts'
import { listInvitations } from './list.ts'
import { revokeInvitation } from './revoke.ts'

export const invitationCommands = [createInvitation, listInvitations, revokeInvitation, acceptInvitation]
