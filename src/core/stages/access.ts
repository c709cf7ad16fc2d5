import type { Command } from '../command.ts'
import { fail } from '../errors.ts'
import { acting, hasPower, hasScope, type Power, type Principal, principalKinds, rolesWith } from '../principal.ts'

/** What the caller's role must give: reads take `read`, writes `work`, unless the command says otherwise. */
export const powerOf = ({ access, effect }: Command): Power => access.power ?? (effect === 'read' ? 'read' : 'work')

const refusedTo = new WeakMap<object, Principal>()
/** Who was refused with this error by a stage that knew. */
export const whoWas = (error: object): Principal | undefined => refusedTo.get(error)

/** Remembers who it is whom a stage refuses. */
export function telling<Result>(principal: Principal, stage: () => Result): Result {
  try {
    return stage()
  } catch (error) {
    refusedTo.set(error as object, principal)
    throw error
  }
}

/** The kind of credential, the org that the caller named, scope and role: each as the command declares it. */
export const allow = (command: Command, principal: Principal, org: string | undefined): void =>
  telling(principal, () => judge(command, principal, org))

function judge(command: Command, principal: Principal, org: string | undefined): void {
  const { access, name } = command
  if (principal.kind === 'nobody' && access.public) return
  const kinds = access.credentials ?? acting
  if (!kinds.includes(principal.kind as (typeof acting)[number]))
    fail(
      'forbidden',
      `${name} is for ${kinds.map((kind) => principalKinds[kind]).join(', ')}; this is ${principalKinds[principal.kind]}.`,
    )
  needScope(command, principal)
  if (access.fresh && principal.kind === 'session') needFresh(principal)
  if (access.tenant === false) {
    if (!principal.user) fail('forbidden', `${name} concerns a person; ${principalKinds[principal.kind]} has none.`)
    return
  }
  if (org !== undefined && org !== principal.org.id && org !== principal.org.slug) {
    fail(
      'forbidden',
      `This credential belongs to the org ${principal.org.slug}, not to ${org}. Leave the org header out or name that org.`,
    )
  }
  const power = powerOf(command)
  if (!hasPower(principal.role, power))
    fail(
      'forbidden',
      `${name} needs the role ${rolesWith(power).join(' or ')}; this credential acts as ${principal.role}.`,
    )
}

/** Where a page sends whoever has to come in again. */
export const signInAgain = '/auth/login?again=yes'

/** Throws reauthentication_required where whoever is signed in has been for longer than a moment. */
export function needFresh({ fresh }: Pick<Principal, 'fresh'>): void {
  if (fresh) return
  fail('reauthentication_required', `This takes somebody who came in a moment ago. Sign in again: ${signInAgain}`, {
    details: { sign_in: signInAgain },
  })
}

/** Throws insufficient_scope where the credential has not got what the command takes. */
export function needScope({ access, name }: Command, principal: Principal): void {
  if (hasScope(principal.scopes, access.scope)) return
  fail(
    'insufficient_scope',
    `${name} needs the scope ${access.scope}; this credential has ${principal.scopes.join(', ') || 'none'}.`,
    { details: { required: [access.scope], held: principal.scopes } },
  )
}
