import type { Tool } from '@modelcontextprotocol/server'
import type { Command } from '../core/command.ts'
import { toolInput, toolOutput } from './schema.ts'

/** The tool that a command is to an MCP client. */
export function defineTool(command: Command): Tool {
  return {
    name: command.tool,
    title: command.title,
    description: command.summary,
    inputSchema: toolInput(command) as Tool['inputSchema'],
    outputSchema: toolOutput(command) as Tool['outputSchema'],
    annotations: {
      readOnlyHint: command.effect === 'read',
      destructiveHint: command.effect === 'destroy',
      idempotentHint: command.effect === 'read' || command.repeatable === true,
      openWorldHint: command.openWorld === true,
    },
  }
}

/** About how many tokens a model reads for this JSON: 4 bytes each, which lies within 10 % for tool lists. */
export const estimateTokens = (value: unknown): number => Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 4)
