import type { CallToolResult } from '@modelcontextprotocol/server'
import { call } from '../core/call.ts'
import type { Command, Emit } from '../core/command.ts'
import type { CallContext } from '../core/context.ts'
import { fail } from '../core/errors.ts'
import { toolAnswer } from './answer.ts'
import { type FailureLog, toldError, toolFailure } from './failure.ts'

const idempotencyMeta = 'molar/idempotency-key'

export interface ToolCall {
  arguments?: Record<string, unknown> | undefined
  /** The request's `_meta`, for the idempotency key. */
  meta?: Record<string, unknown> | undefined
  /** Sends one progress notification; absent when the client asked for none. */
  progress?: ((progress: number, message: string) => Promise<void>) | undefined
}

/** Runs a tool's command. Its errors are results too: only what the protocol itself refuses is thrown. */
export async function runTool(
  command: Command,
  request: ToolCall,
  context: CallContext,
  log: FailureLog,
): Promise<CallToolResult> {
  try {
    return await answerTool(command, request, context)
  } catch (error) {
    return toolFailure(toldError(error, context.requestId, log))
  }
}

/** The same for a host that has its own way to say some errors: it throws them. */
export async function answerTool(command: Command, request: ToolCall, context: CallContext): Promise<CallToolResult> {
  const key = request.meta?.[idempotencyMeta]
  if (key !== undefined && typeof key !== 'string') fail('bad_request', `_meta['${idempotencyMeta}'] must be text.`)
  const emit = request.progress && command.line ? progressEmitter(command, request.progress) : undefined
  const keyed = key !== undefined ? { ...context, idempotencyKey: key } : context
  return toolAnswer(command, await call(command, request.arguments, keyed, emit))
}

/** One line an event, numbered from 1: how many there will be is not known. */
function progressEmitter(command: Command, send: (progress: number, message: string) => Promise<void>): Emit<unknown> {
  let told = 0
  return async (event) => {
    const message = command.line?.(event)
    if (message !== undefined) await send(++told, message)
  }
}
