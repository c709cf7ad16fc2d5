import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { instant, secret, shownName } from '../fields.ts'
import { newId } from '../ids.ts'
import { acting, scopesBeyond } from '../principal.ts'
import { key, scopeList } from './key.ts'
import { insertKey } from './store.ts'
import { newToken, tokenPrefix } from './token.ts'

export const createKey = defineCommand({
  name: 'keys.create',
  tool: 'molar_create_key',
  toolset: { default: false },
  title: 'Create an API key',
  summary: 'Make an API key for CI or another client. The plaintext is in this answer and never again.',
  input: z.object({
    name: shownName.describe('What or whom it is for'),
    scopes: scopeList.min(1).default(['mcp:read', 'mcp:write', 'mcp:run', 'mcp:trace:read']).describe('What it may do'),
    expires_at: instant.optional().describe('Never, when left out'),
  }),
  output: key.extend({ api_key: secret().describe('The plaintext, shown once') }),
  rest: { route: 'POST /v1/api-keys', status: 201 },
  // Not an app that a person connected: its keys would be there still when it is disconnected.
  access: { scope: 'mcp:write', power: 'manage', credentials: acting.filter((kind) => kind !== 'oauth') },
  effect: 'write',
  rate: 'entry',
  errors: ['validation_failed', 'forbidden'],
  positionals: ['name'],
  target: (_input, output) => output?.id,
  examples: [
    {
      title: 'a key for CI',
      input: { name: 'ci', scopes: ['mcp:read', 'mcp:run'] },
      output: { name: 'ci', scopes: ['mcp:read', 'mcp:run'], revoked_at: null },
    },
    {
      title: 'a scope that does not exist',
      input: { name: 'ci', scopes: ['everything' as 'mcp:read'] },
      error: 'validation_failed',
    },
  ],
  async handler({ name, scopes, expires_at }, { principal, db, keyring }) {
    const beyond = scopesBeyond(principal.scopes, scopes)
    if (beyond.length > 0) fail('forbidden', `A key cannot give what its maker does not have: ${beyond.join(', ')}.`)
    if (expires_at !== undefined && Date.parse(expires_at) <= Date.now())
      fail('validation_failed', 'expires_at: lies in the past.')
    const token = newToken()
    const row = await insertKey(db, {
      id: newId(),
      kind: 'api_key',
      orgId: principal.org.id,
      name,
      prefix: tokenPrefix(token),
      fingerprint: keyring.fingerprint(token),
      scopes,
      role: 'maintainer',
      userId: principal.user?.id ?? null,
      expiresAt: expires_at ?? null,
    })
    return { ...row!, api_key: token }
  },
})
