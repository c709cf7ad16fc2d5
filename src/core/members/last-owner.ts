import type { Queries } from '../context.ts'
import { fail } from '../errors.ts'
import type { Principal, Role } from '../principal.ts'
import type { Member } from './member.ts'
import { countOwners, findMember, lockOrg } from './store.ts'

/**
 * From here to the end of the transaction nobody else changes who is who in the org. Fails where the caller's own role was
 * changed since they came in: what they may do was judged by the one before.
 */
export async function settleMembers(db: Queries, { user, role }: Principal): Promise<void> {
  await lockOrg(db)
  const self = user ? await findMember(db, user.id) : undefined
  if (self?.role !== role) fail('conflict', 'Your role in this org was changed a moment ago. Ask again.')
}

/** The member, who stays as they are until the transaction ends; fails where they are the last owner and would be one no longer. */
export async function memberToChange(db: Queries, principal: Principal, userId: string, role?: Role): Promise<Member> {
  await settleMembers(db, principal)
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
