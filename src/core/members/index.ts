import { leaveOrg } from './leave.ts'
import { listMembers } from './list.ts'
import { removeMember } from './remove.ts'
import { updateMember } from './update.ts'

export { refuseAboveOneself, settleMembers } from './last-owner.ts'
export { member, role } from './member.ts'
export { findMember, findMemberByEmail, setRole } from './store.ts'
export const memberCommands = [listMembers, updateMember, removeMember, leaveOrg]
