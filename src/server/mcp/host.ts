import type { Command } from '../../core/command.ts'
import type { Services } from '../../core/context.ts'
import { type ResourceCatalogue, resourceCatalogue } from '../../resources/index.ts'
import { type FailureLog, type ToolCatalogue, toolCatalogue } from '../../tools/index.ts'

/** What the MCP server is made of, built once a process and shared by every request. */
export interface McpHost {
  tools: ToolCatalogue
  resources: ResourceCatalogue
  services(): Promise<Services>
  log: FailureLog
  info: { name: string; title: string; version: string }
}

export interface McpHostOptions {
  commands: readonly Command[]
  /** Called by the first call that needs it, not before: stdio answers while the database is still down. */
  services(): Promise<Services>
  version: string
  log: FailureLog
}

export function mcpHost({ commands, services, version, log }: McpHostOptions): McpHost {
  return {
    tools: toolCatalogue(commands),
    resources: resourceCatalogue(commands),
    services,
    log,
    info: { name: 'molar', title: 'Molar', version },
  }
}
