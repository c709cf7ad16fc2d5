import type { Queries } from '../context.ts'
import { fail } from '../errors.ts'
import type { Principal, Role } from '../principal.ts'
import type { Member } from './member.ts'
import { countOwners, findMember, lockOrg } from './store.ts'

/** The member, while nobody else changes who owns the org; fails where they are its last owner and would be one no longer. */
export async function memberToChange(db: Queries, userId: string, role?: Role): Promise<Member> {
  await lockOrg(db)
  const found =
    (await findMember(db, userId)) ?? fail('not_found', `There is no member ${userId}. members.list shows them.`)
  if (found.role === 'owner' && role !== 'owner' && (await countOwners(db)) === 1)
    fail('conflict', `${found.email} is the last owner of this org. Give it to somebody else first: orgs.transfer.`)
  return found
}

/** Only an owner makes or unmakes owners. */
export function refuseAboveOneself(principal: Principal, ...roles: (Role | undefined)[]): void {
  if (roles.includes('owner') && principal.role !== 'owner')
    fail('forbidden', `Only an owner makes or changes owners; you act as ${principal.role}.`)
}
