import type { Command } from '../command.ts'
import { fail } from '../errors.ts'
import { hasScope, type Principal } from '../principal.ts'

/** Scope, role, and whether the org that the caller named is the one that its credential belongs to. */
export function allow(command: Command, principal: Principal, org: string | undefined): void {
  const { scope, roles } = command.access
  if (org !== undefined && org !== principal.org.id && org !== principal.org.slug) {
    fail(
      'forbidden',
      `This credential belongs to the org ${principal.org.slug}, not to ${org}. Leave the org header out or name that org.`,
    )
  }
  if (!hasScope(principal.scopes, scope)) {
    fail(
      'insufficient_scope',
      `${command.name} needs the scope ${scope}; this credential has ${principal.scopes.join(', ') || 'none'}.`,
      {
        details: { required: [scope], held: principal.scopes },
      },
    )
  }
  if (roles && !roles.includes(principal.role)) {
    fail(
      'forbidden',
      `${command.name} needs the role ${roles.join(' or ')}; this credential acts as ${principal.role}.`,
    )
  }
}
