import { classifyInboundRequest, type InboundClassificationOutcome } from '@modelcontextprotocol/server'
import type { FastifyRequest } from 'fastify'

/** Which era a request is of, or why it is of none: by the message first and the headers second, exactly as the SDK's own handler does it. */
export function classify(request: FastifyRequest): InboundClassificationOutcome {
  const header = (name: string) => request.headers[name] as string | undefined
  return classifyInboundRequest({
    httpMethod: request.method,
    protocolVersionHeader: header('mcp-protocol-version'),
    mcpMethodHeader: header('mcp-method'),
    mcpNameHeader: header('mcp-name'),
    body: request.body,
  })
}
