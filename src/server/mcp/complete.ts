import {
  type CompleteRequest,
  type CompleteResult,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import type { Completion } from '../../core/command.ts'
import type { CallContext } from '../../core/context.ts'
import { protocolError, suggest } from '../../resources/index.ts'
import { toldError } from '../../tools/index.ts'
import type { McpHost } from './host.ts'
import { findPrompt } from './prompts.ts'

/** Values for a variable of a resource's URI or an argument of a prompt; none where nothing lists them. */
export async function complete(
  host: McpHost,
  { params: { ref, argument } }: CompleteRequest,
  caller: CallContext,
): Promise<CompleteResult> {
  const completion =
    ref.type === 'ref/prompt' ? ofPrompt(ref.name, argument.name) : ofTemplate(host, ref.uri, argument.name)
  if (!completion) return { completion: { values: [], total: 0, hasMore: false } }
  try {
    return await suggest(host.commands, completion, argument.value, caller)
  } catch (error) {
    throw protocolError(error, undefined, { publicError: (one) => toldError(one, caller.requestId, host.log) })
  }
}

function ofPrompt(name: string, argument: string): Completion | undefined {
  return findPrompt(name).arguments.find((one) => one.name === argument)?.complete
}

function ofTemplate({ resources }: McpHost, uri: string, variable: string): Completion | undefined {
  const command = resources.findTemplate(uri)
  if (command) return command.resource?.complete?.[variable]
  throw new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `There is no resource template ${uri.slice(0, 200)}. resources/templates/list shows what there is.`,
  )
}
