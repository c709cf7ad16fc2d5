import { isDeepStrictEqual } from 'node:util'
import type { Answer } from '../call.ts'
import type { Command } from '../command.ts'
import type { Queries } from '../context.ts'
import { fail } from '../errors.ts'
import { spendLink } from '../links/index.ts'
import type { Principal } from '../principal.ts'

/** A link is good for one command and the input that it fixes. */
export function holdToLink({ link }: Principal, command: Command, input: Answer): void {
  if (!link) return
  if (link.command !== command.name)
    fail('forbidden', `This link is good for ${link.command}, not for ${command.name}.`)
  for (const [field, value] of Object.entries(link.input))
    if (!isDeepStrictEqual(input[field], value)) fail('forbidden', `This link is good for another ${field}.`)
}

/** In the transaction of what it is used for: a link whose use failed is good still. */
export async function useUpLink(tx: Queries, { link, org }: Principal): Promise<void> {
  if (link && !(await spendLink(tx, { id: link.id, orgId: org.id, expiresAt: link.expiresAt })))
    fail('unauthorized', 'This link was used already. Ask for a new one.')
}
