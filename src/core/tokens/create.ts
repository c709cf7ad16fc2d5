import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { instant, secret, shownName } from '../fields.ts'
import { newId } from '../ids.ts'
import { insertKey, newToken, scopeList, tokenPrefix } from '../keys/index.ts'
import { hasPower, inPerson, scopesBeyond } from '../principal.ts'
import { findToken } from './store.ts'
import { kinds, token } from './token.ts'

const dayMs = 86_400_000
const usualDays = 90
const mostDays = 366

export const createToken = defineCommand({
  name: 'tokens.create',
  tool: 'molar_create_token',
  toolset: { default: false },
  title: 'Create a token',
  summary:
    'Make a personal token (pat: acts as the caller) or a service token (svc: for a program). The plaintext is in this answer and never again.',
  input: z.object({
    name: shownName.describe('What it is for'),
    kind: z.enum(kinds).default('pat'),
    scopes: scopeList.min(1).default(['mcp:read', 'mcp:write', 'mcp:run', 'mcp:trace:read']).describe('What it may do'),
    role: z.enum(['maintainer', 'viewer']).default('maintainer').describe('Of a service token'),
    expires_at: instant.optional().describe(`At most ${mostDays} days from now; ${usualDays} when left out`),
  }),
  output: token.extend({ token: secret().describe('The plaintext, shown once') }),
  rest: { route: 'POST /api/v1/tokens', status: 201 },
  access: { scope: 'mcp:write', power: 'belong', credentials: inPerson },
  effect: 'write',
  rate: 'entry',
  errors: ['validation_failed', 'forbidden'],
  positionals: ['name'],
  target: (_input, output) => output?.id,
  examples: [
    {
      title: 'a personal token',
      input: { name: 'laptop', scopes: ['mcp:read'] },
      output: { name: 'laptop', kind: 'pat', scopes: ['mcp:read'], revoked_at: null },
    },
    {
      title: 'a service token',
      input: { name: 'nightly', kind: 'svc', role: 'viewer' },
      output: { kind: 'svc', role: 'viewer' },
    },
    {
      title: 'one that lasts too long',
      input: { name: 'x', expires_at: '2999-01-01T00:00:00Z' },
      error: 'validation_failed',
    },
  ],
  async handler({ name, kind, scopes, role, expires_at }, { principal, db, keyring }) {
    if (kind === 'svc' && !hasPower(principal.role, 'manage'))
      fail('forbidden', `A service token is made by an owner or admin; you act as ${principal.role}.`)
    const beyond = scopesBeyond(principal.scopes, scopes)
    if (beyond.length > 0) fail('forbidden', `A token cannot give what its maker does not have: ${beyond.join(', ')}.`)
    const expires = expires_at === undefined ? Date.now() + usualDays * dayMs : Date.parse(expires_at)
    if (expires <= Date.now()) fail('validation_failed', 'expires_at: lies in the past.')
    if (expires > Date.now() + mostDays * dayMs)
      fail('validation_failed', `expires_at: lies more than ${mostDays} days ahead. It can be renewed before it comes.`)
    const plaintext = newToken(kind)
    const id = newId()
    await insertKey(db, {
      id,
      kind,
      orgId: principal.org.id,
      name,
      prefix: tokenPrefix(plaintext),
      fingerprint: keyring.fingerprint(plaintext),
      scopes,
      // A personal token's role is its person's at the time of its use.
      role: kind === 'pat' ? principal.role : role,
      userId: principal.user!.id,
      expiresAt: new Date(expires).toISOString(),
    })
    const made = await findToken(db, null, id)
    return { ...made!, token: plaintext }
  },
})
