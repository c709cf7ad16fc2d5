import {
  type CallToolRequest,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Command } from '../../core/command.ts'
import type { CallContext } from '../../core/context.ts'
import {
  executeTool,
  readExecution,
  refused,
  runTool,
  searchTool,
  searchTools,
  type ToolSet,
} from '../../tools/index.ts'
import { confirmation } from './confirm.ts'
import type { McpHost } from './host.ts'

export interface Calling {
  host: McpHost
  tools: ToolSet
  callerOf(context: ServerContext): CallContext | Promise<CallContext>
  /** What the client can do, as it declared for this request or session. */
  capabilities(context: ServerContext): unknown
}

/** Serves tools/call: a command's own tool, or one of the two that reach the others. */
export async function callTool(calling: Calling, { params }: CallToolRequest, context: ServerContext) {
  const { tools } = calling
  const command = tools.find(params.name)
  if (command) return runCommand(calling, command, params.arguments, context)
  if (tools.reach.length > 0 && params.name === searchTool) return searchTools(tools.reach, params.arguments)
  if (tools.reach.length > 0 && params.name === executeTool) return execute(calling, params.arguments, context)
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, tools.explainMissing(params.name))
}

async function execute(calling: Calling, input: unknown, context: ServerContext) {
  const wanted = readExecution(input)
  if (typeof wanted === 'string') return refused(wanted)
  const { tools } = calling
  const command = tools.reach.find((one) => one.tool === wanted.name)
  if (!command) return refused(tools.explainMissing(wanted.name), 'not_found')
  return runCommand(calling, command, wanted.arguments, context)
}

async function runCommand(calling: Calling, command: Command, input: CallInput, context: ServerContext) {
  const instead = confirmation(command, input, context, calling.capabilities(context))
  if (instead) return instead
  const request = { arguments: input, meta: context.mcpReq._meta, progress: progressOf(context) }
  const caller = { ...(await calling.callerOf(context)), signal: context.mcpReq.signal }
  return runTool(command, request, caller, calling.host.log)
}

type CallInput = Record<string, unknown> | undefined

function progressOf({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return undefined
  return (progress: number, message: string) =>
    mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
}
