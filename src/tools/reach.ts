import type { CallToolResult, Tool } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Command } from '../core/command.ts'
import type { JsonSchema } from '../core/schema.ts'
import { rankCommands } from './rank.ts'
import { toolInput } from './schema.ts'

/** Two tools that reach all others, so that a session pays for the few it uses and can still do everything. */
export const searchTool = 'molar_search_tools'
export const executeTool = 'molar_execute_tool'

const searchInput = z.object({ query: z.string().max(200).describe('Words of what you want to do') })
const executeInput = z.object({
  name: z.string().max(100),
  arguments: z.record(z.string(), z.unknown()).optional().describe('As its input_schema says'),
})

const plain = (schema: z.ZodType) => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema
  return rest as Tool['inputSchema']
}

/** The two as an MCP client lists them. */
export const reachTools = (readOnly: boolean): Tool[] => [
  {
    name: searchTool,
    title: 'Search tools',
    description: 'Find tools that are not listed here, with the input that each takes.',
    inputSchema: plain(searchInput),
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  {
    name: executeTool,
    title: 'Execute a tool',
    description: `Call a tool that ${searchTool} found; the answer is that tool’s.`,
    inputSchema: plain(executeInput),
    annotations: { readOnlyHint: readOnly, destructiveHint: !readOnly, idempotentHint: readOnly, openWorldHint: true },
  },
]

/** Tools of one search answer with their whole input; more are named only. */
const inFull = 5
const named = 15

/** What fits the words best, and how to call it. Never throws: input that does not fit is an answer that says so. */
export function searchTools(commands: readonly Command[], input: unknown): CallToolResult {
  const parsed = searchInput.safeParse(input)
  if (!parsed.success) return refused(`query: ${parsed.error.issues[0]?.message}`)
  const ranked = rankCommands(commands, parsed.data.query)
  const answer = {
    tools: ranked.slice(0, inFull).map((command) => ({
      name: command.tool,
      toolset: command.toolset.name,
      effect: command.effect,
      scope: command.access.scope,
      summary: command.summary,
      input_schema: toolInput(command),
    })),
    more: ranked.slice(inFull, inFull + named).map((command) => command.tool),
    next:
      ranked.length > 0
        ? `Call ${executeTool} with a name and arguments.`
        : `Nothing fits. Toolsets: ${[...new Set(commands.map(({ toolset }) => toolset.name))].join(', ')}; search for one of these words.`,
  }
  return { content: [{ type: 'text', text: JSON.stringify(answer) }], structuredContent: answer }
}

/** Which tool is to be executed, with which arguments; a string says what is wrong with the request. */
export function readExecution(
  input: unknown,
): { name: string; arguments: Record<string, unknown> | undefined } | string {
  const parsed = executeInput.safeParse(input)
  if (parsed.success) return { name: parsed.data.name, arguments: parsed.data.arguments }
  return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
}

/** An error result as every tool of Molar gives it. */
export function refused(message: string, error = 'validation_failed'): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify({ error, message }) }], isError: true }
}
