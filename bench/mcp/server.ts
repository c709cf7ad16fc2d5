import type { IncomingMessage, ServerResponse } from 'node:http'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { fastify } from 'fastify'
import { z } from 'zod'
import { type Command, defineCommand } from '../../src/core/command.ts'
import { mcpPlugin } from '../../src/server/mcp/index.ts'
import { fixtureServices } from '../../test/fixtures/commands.ts'

/** The three servers that are compared, in one process: a bare Fastify route, /mcp, and the 1.x SDK on Express. */

const input = z.object({ id: z.string().max(64), verbose: z.boolean().default(false) })
const output = z.object({ id: z.string(), state: z.string(), steps: z.int() })
const answer = (id: string) => ({ id, state: 'passed', steps: 10 })

/** As many tools as a full Molar has; all are trivial: no database, principal given. */
const commands: Command[] = Array.from({ length: 60 }, (_, at) =>
  defineCommand({
    name: `bench${at}.get`,
    tool: `bench_${at}`,
    title: 'Trivial',
    summary: 'Reads nothing.',
    input,
    output,
    rest: `GET /v1/bench/${at}`,
    access: { scope: 'mcp:read' },
    effect: 'read',
    errors: [],
    examples: [],
    handler: async ({ id }) => answer(id),
  }),
)

const services = fixtureServices()
services.observe = () => {}

const app = fastify()
app.post('/bare', async (request) => {
  const { params } = request.body as { params: { arguments: { id: string } } }
  return answer(params.arguments.id)
})
app.register(mcpPlugin({ commands, services: async () => services, version: '0', log: services.log }))
const base = await app.listen({ port: 0, host: '127.0.0.1' })

const first = createMcpExpressApp()
first.post('/mcp', async (request: IncomingMessage & { body: unknown }, response: ServerResponse) => {
  const server = new McpServer({ name: 'first', version: '0' })
  for (const { tool } of commands) {
    server.registerTool(tool, { inputSchema: input.shape, outputSchema: output.shape }, async ({ id }) => {
      const structuredContent = answer(id)
      return { structuredContent, content: [{ type: 'text', text: JSON.stringify(structuredContent) }] }
    })
  }
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.on('close', () => void server.close())
  await server.connect(transport as never)
  await transport.handleRequest(request, response, request.body)
})
const listening = first.listen(0, '127.0.0.1', () => {
  const address = listening.address() as { port: number }
  process.send?.({ base, first: `http://127.0.0.1:${address.port}` })
})
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.on('disconnect', () => process.exit())
