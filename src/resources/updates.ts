import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server'
import type { CallContext } from '../core/context.ts'
import { watch } from '../core/watch.ts'
import type { ResourceCatalogue } from './catalogue.ts'
import { protocolError, type ReadingRules } from './read.ts'

/**
 * Changes of a resource, one item each, for a caller who may read it. What is absent or not theirs, and what tells no
 * changes, is refused as a ProtocolError before anything is promised.
 */
export async function openUpdates(
  catalogue: ResourceCatalogue,
  uri: string,
  context: CallContext,
  rules: Pick<ReadingRules, 'publicError'>,
): Promise<AsyncIterable<void>> {
  const found = catalogue.find(uri)
  if (!found) throw new ResourceNotFoundError(uri, `There is no resource ${uri.slice(0, 200)}.`)
  if (!found.command.resource?.changes) {
    const which = catalogue.watchable.join(', ') || 'none'
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `${uri.slice(0, 200)} tells no changes. Those that do: ${which}.`,
    )
  }
  try {
    return await watch(found.command, found.input, context)
  } catch (error) {
    throw protocolError(error, uri, rules)
  }
}
