import type { HandlerContext, Settings } from '../context.ts'
import { fail } from '../errors.ts'
import type { Scope } from '../principal.ts'

export const codeMinutes = 15
export const mostTries = 5

/** What the agent's key may do until the person has confirmed it, and what it may do then. */
export const scopesBefore: readonly Scope[] = ['mcp:read', 'mcp:run']
export const scopesAfter: readonly Scope[] = ['mcp:write', 'mcp:trace:read']

export function refuseUnlessOpen({ agentSignup }: Settings): void {
  if (!agentSignup)
    fail('unavailable', 'Agents cannot sign up here: AGENT_SIGNUP_ENABLED is off. A person signs up in the browser.')
}

/** Six digits are guessed quickly by who has their plain hash, so the hash takes the server's key, and the org's id. */
export const hashCode = ({ keyring }: Pick<HandlerContext, 'keyring'>, orgId: string, code: string): Buffer =>
  keyring.fingerprint(`signup ${orgId} ${code}`)
