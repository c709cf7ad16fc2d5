import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { text } from '../fields.ts'
import { secretFacts, secretName } from './secret.ts'
import { countSecrets } from './store.ts'
import { putSecret } from './vault.ts'

const most = 500

export const setSecret = defineCommand({
  name: 'secrets.set',
  tool: 'molar_set_secret',
  toolset: { default: false },
  title: 'Set a secret',
  summary:
    'Store a value that the org’s runs read as ${secrets.NAME}, or replace it. It is encrypted, scrubbed from all that runs leave, and can never be read back.',
  input: z.object({
    name: secretName.describe('As scenarios declare it'),
    value: text(10_000).min(1).describe('Its value; on the command line `-` reads it from standard input'),
  }),
  output: secretFacts,
  rest: 'PUT /v1/secrets/{name}',
  access: { scope: 'mcp:write', power: 'manage' },
  effect: 'write',
  repeatable: true,
  errors: ['validation_failed', 'forbidden', 'quota_exceeded'],
  positionals: ['name', 'value'],
  target: (input) => input.name,
  examples: [
    { title: 'a token', input: { name: 'API_TOKEN', value: 'not shown again' }, output: { name: 'API_TOKEN' } },
    { title: 'a name with a space', input: { name: 'API TOKEN', value: 'x' }, error: 'validation_failed' },
  ],
  async handler({ name, value }, { principal, db, keyring }) {
    const row = await putSecret(db, keyring, principal.org.id, name, value)
    const used = await countSecrets(db)
    if (used > most)
      fail('quota_exceeded', `An org has at most ${most} secrets. Delete one that no scenario declares.`, {
        details: { resource: 'secrets', limit: most, used: used - 1 },
      })
    return row
  },
})
