import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOAuthToken } from '../../auth/oauth/resource.ts'
import type { Command } from '../../core/command.ts'
import type { CallContext } from '../../core/context.ts'
import { CommandError } from '../../core/errors.ts'
import { answerTool, type ToolSet, toldError, toolFailure } from '../../tools/index.ts'
import { classify } from './classify.ts'
import { canAsk } from './confirm.ts'
import type { McpHost } from './host.ts'
import { goneSignal } from './request.ts'

/**
 * Most requests are a well-formed tools/call of the 2026-07-28 protocol whose answer is one JSON body. Those skip the
 * SDK's objects, which cost several times what a command does. Whatever is unusual in the least is left to the SDK, so
 * that every refusal stays its own.
 */
export interface PlainCall {
  id: string | number
  command: Command
  arguments: Record<string, unknown> | undefined
  meta: Record<string, unknown>
}

const revision = '2026-07-28'

/** The call, if it is one of those; undefined leaves the request to the SDK. */
export function readPlainCall(request: FastifyRequest, tools: ToolSet): PlainCall | undefined {
  const { headers, body } = request
  if (headers['mcp-method'] !== 'tools/call' || headers['mcp-protocol-version'] !== revision) return undefined
  if (!/^application\/json(?:;|$)/.test(headers['content-type'] ?? '')) return undefined
  if (!isObject(body) || !hasOnly(body, messageKeys) || body.jsonrpc !== '2.0' || body.method !== 'tools/call')
    return undefined
  const { id, params } = body
  if (!isId(id) || !isObject(params)) return undefined
  const { name, arguments: input, _meta: meta, ...others } = params
  const command = typeof name === 'string' && headers['mcp-name'] === name ? tools.find(name) : undefined
  if (!command || !isObject(meta) || (input !== undefined && !isObject(input)) || Object.keys(others).length > 0) {
    return undefined
  }
  const { progressToken } = meta
  if (
    meta[LOG_LEVEL_META_KEY] !== undefined ||
    (progressToken !== undefined && (command.events || !isId(progressToken)))
  ) {
    return undefined
  }
  // a client that can ask a person first is served where questions are asked
  if (command.effect === 'destroy' && canAsk(meta[CLIENT_CAPABILITIES_META_KEY])) return undefined
  return isProven(meta, request) ? { id, command, arguments: input, meta } : undefined
}

/** Envelopes that the SDK has found good. A client sends the same one with every request, and the check is most of a call's cost. */
const proven = new Set<string>()
const maxProven = 1000
const maxEnvelope = 2000

function isProven(meta: Record<string, unknown>, request: FastifyRequest): boolean {
  if (meta[PROTOCOL_VERSION_META_KEY] !== revision) return false
  const envelope = JSON.stringify({ can: meta[CLIENT_CAPABILITIES_META_KEY], is: meta[CLIENT_INFO_META_KEY] })
  if (proven.has(envelope)) return true
  if (classify(request).kind !== 'modern') return false
  if (proven.size >= maxProven) proven.clear()
  if (envelope.length <= maxEnvelope) proven.add(envelope)
  return true
}

/** Answers it. The command's own look at the credential is the one that counts: a bad one is thrown, and a 401 or 403 above. */
export async function servePlainCall(
  host: McpHost,
  plain: PlainCall,
  caller: CallContext,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const result = await answerTool(plain.command, plain, { ...caller, signal: goneSignal(reply) }).catch((error) => {
    if (error instanceof CommandError && isChallenge(error, caller)) throw error
    return toolFailure(toldError(error, caller.requestId, host.log))
  })
  const meta = { [SERVER_INFO_META_KEY]: host.info }
  return reply.send({ jsonrpc: '2.0', id: plain.id, result: { ...result, resultType: 'complete', _meta: meta } })
}

/** What an HTTP status must say: a bad credential, and for an app a scope that it can ask for (see scope.ts). */
const isChallenge = ({ code }: CommandError, { credential }: CallContext): boolean =>
  code === 'unauthorized' || (code === 'insufficient_scope' && isOAuthToken(credential?.token ?? ''))

/** Of requests and of progress: text or a whole number. */
const isId = (value: unknown): value is string | number => typeof value === 'string' || Number.isSafeInteger(value)
const messageKeys = new Set(['jsonrpc', 'id', 'method', 'params'])
const hasOnly = (value: object, keys: Set<string>) => Object.keys(value).every((key) => keys.has(key))
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
