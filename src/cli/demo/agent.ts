import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { CommandError, type ErrorCode, errorTable, fail } from '../../core/errors.ts'

/** What an agent in an editor has: `molar mcp` as a child, and its tools. */
export interface Agent {
  /** Name and version of the server, and how many tools it showed. */
  server: string
  tools: number
  use<Answer>(tool: string, input: Record<string, unknown>, onProgress?: (line: string) => void): Promise<Answer>
  close(): Promise<void>
}

export interface AgentOptions {
  entry: string
  environment: Record<string, string>
  version: string
  signal: AbortSignal
}

/** A call may wait 50 s for its runs; a little more is for the first one, which opens the database. */
const patienceMs = 80_000

/** Connects to `molar mcp` over stdio, as an editor does. */
export async function openAgent({ entry, environment, version, signal }: AgentOptions): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [entry, 'mcp'],
    env: environment,
    stderr: 'pipe',
  })
  let said = ''
  transport.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000)
  })
  const client = new Client({ name: 'molar-demo', version })
  await client
    .connect(transport)
    .catch((cause: unknown) =>
      fail('unavailable', `molar mcp did not answer: ${said.trim() || (cause as Error).message}`, { cause }),
    )
  const { tools } = await client.listTools()
  const info = client.getServerVersion()
  return {
    server: `${info?.name ?? 'molar'} ${info?.version ?? ''}`.trim(),
    tools: tools.length,
    async use<Answer>(tool: string, input: Record<string, unknown>, onProgress?: (line: string) => void) {
      const onprogress = (progress: { message?: string | undefined }) =>
        progress.message !== undefined && onProgress?.(progress.message)
      const options = { timeout: patienceMs, signal, ...(onProgress ? { onprogress } : {}) }
      const result = await client.callTool({ name: tool, arguments: input }, options)
      if (result.isError) return refuse(tool, result.content)
      return result.structuredContent as Answer
    },
    close: () => client.close(),
  }
}

/** A tool's error is the JSON that every door gives. */
function refuse(tool: string, content: unknown): never {
  const text = (content as { text?: string }[])[0]?.text ?? ''
  let body: { error?: string; message?: string } = {}
  try {
    body = JSON.parse(text)
  } catch {
    // a protocol error has words only
  }
  const code =
    body.error !== undefined && Object.hasOwn(errorTable, body.error) ? (body.error as ErrorCode) : 'internal'
  throw new CommandError(code, `${tool}: ${body.message ?? text}`)
}
