import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { time } from '../fields.ts'
import { signLink } from '../links/index.ts'
import { orgRef } from '../org-ref.ts'
import { inPerson } from '../principal.ts'

const minutes = 10

export const exportOrg = defineCommand({
  name: 'orgs.export',
  tool: 'molar_export_org',
  toolset: { default: false },
  title: 'Export an org',
  summary:
    'All that an org owns, as one archive (tar.gz: rows as NDJSON, blobs, a manifest with hashes). The answer is a link, good once within 10 minutes. Secrets are in it by name only.',
  input: z.object({ org: orgRef }),
  output: z.object({ url: z.string(), expires_at: time }),
  rest: 'GET /api/v1/orgs/{org}/export',
  access: { scope: 'mcp:read', power: 'own', org: 'org', credentials: inPerson },
  effect: 'read',
  errors: ['bad_request', 'not_found', 'unavailable'],
  redirect: ({ url }) => url,
  examples: [{ title: 'one that is not there', input: { org: 'no-such-org' }, error: 'not_found' }],
  async handler(_input, { keyring, principal, publicUrl }) {
    if (publicUrl === null)
      fail('unavailable', 'An archive is sent by a server: start molar serve, and ask it (--url, MOLAR_URL).')
    const orgId = principal.org.id
    const link = { orgId, userId: principal.user!.id, command: 'orgs.export', input: { org: orgId } }
    const token = await signLink(keyring, link, minutes)
    const expires_at = new Date(Date.now() + minutes * 60_000)
    return { url: `${publicUrl}/exports/${orgId}?token=${token}`, expires_at }
  },
})
