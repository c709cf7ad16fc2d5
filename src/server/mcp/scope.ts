import type { Command } from '../../core/command.ts'
import type { Principal } from '../../core/principal.ts'
import { needScope } from '../../core/stages/access.ts'
import { executeTool, type ToolSet } from '../../tools/index.ts'
import type { McpHost } from './host.ts'

/**
 * An OAuth app that lacks a scope must hear so as an HTTP 403 with a challenge, and then asks the person for more. Inside a
 * message it would be a tool's error, which no client acts upon. Throws insufficient_scope; other credentials, which
 * nobody can widen on the way, keep the error that an agent reads.
 */
export function challengeScope(host: McpHost, tools: ToolSet, principal: Principal, message: unknown): void {
  if (principal.kind !== 'oauth') return
  const command = commandOf(host, tools, message)
  if (command) needScope(command, principal)
}

function commandOf(host: McpHost, tools: ToolSet, message: unknown): Command | undefined {
  const { method, params } = (message ?? {}) as { method?: unknown; params?: Record<string, unknown> }
  const { name, uri, arguments: given } = params ?? {}
  if (method === 'resources/read' && typeof uri === 'string') return host.resources.find(uri)?.command
  if (method !== 'tools/call' || typeof name !== 'string') return undefined
  if (name !== executeTool) return tools.find(name)
  const inner = (given as { name?: unknown } | undefined)?.name
  return tools.reach.find(({ tool }) => tool === inner)
}
