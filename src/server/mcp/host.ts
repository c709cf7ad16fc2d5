import type {
  CallToolRequest,
  CallToolResult,
  InputRequiredResult,
  ReadResourceRequest,
  ReadResourceResult,
  Server,
  ServerContext,
  ServerEventBus,
} from '@modelcontextprotocol/server'
import type { Command } from '../../core/command.ts'
import type { Services } from '../../core/context.ts'
import { type ResourceCatalogue, resourceCatalogue } from '../../resources/index.ts'
import { type FailureLog, type ToolCatalogue, type ToolSet, toolCatalogue } from '../../tools/index.ts'
import { type CredentialWatch, credentialWatch } from './credentials.ts'
import { type Patience, patience } from './stalled.ts'

/** What the MCP server is made of, built once a process and shared by every request. */
export interface McpHost {
  commands: readonly Command[]
  tools: ToolCatalogue
  resources: ResourceCatalogue
  credentials: CredentialWatch
  patience: Patience
  services(): Promise<Services>
  log: FailureLog
  info: { name: string; title: string; version: string }
  extension: Extension | undefined
}

/** Another registry on the same host: how the conformance suite's fixture is mounted. */
export interface Extension {
  /** Before a server instance serves. Handlers that it sets replace the host's own, which it may call. */
  extend(server: Server, own: Own): void
  /** Changes of lists, for those who listen. */
  bus: ServerEventBus
}

/** What a server instance serves without an extension. */
export interface Own {
  tools: ToolSet
  resources: ResourceCatalogue
  call(request: CallToolRequest, context: ServerContext): Promise<CallToolResult | InputRequiredResult>
  read(request: ReadResourceRequest, context: ServerContext): Promise<ReadResourceResult>
}

export interface McpHostOptions {
  commands: readonly Command[]
  /** Called by the first call that needs it, not before: stdio answers while the database is still down. */
  services(): Promise<Services>
  version: string
  log: FailureLog
  patience?: Patience
  extension?: Extension
}

export function mcpHost(options: McpHostOptions): McpHost {
  const { commands, services, version, log, extension } = options
  return {
    commands,
    tools: toolCatalogue(commands),
    resources: resourceCatalogue(commands),
    credentials: credentialWatch(services),
    patience: options.patience ?? patience,
    services,
    log,
    info: { name: 'molar', title: 'Molar', version },
    extension,
  }
}
