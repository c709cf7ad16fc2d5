import type { FastifyInstance } from 'fastify'
import type { Command } from '../core/command.ts'
import { commands } from '../core/index.ts'
import { instructions } from '../core/instructions.ts'
import { scopes } from '../core/principal.ts'
import type { WebOptions } from './scope.ts'

/** What an agent reads before it connects: https://llmstxt.org, and the page behind it. Both come from the registry. */
export function agentPages(app: FastifyInstance, { services, oauth }: WebOptions): void {
  const say = (path: string, type: string, write: (url: string) => string) =>
    app.get(path, async (_request, reply) => {
      const { publicUrl } = await services()
      return reply.type(`${type}; charset=utf-8`).send(write(publicUrl ?? ''))
    })
  say('/llms.txt', 'text/plain', overview)
  say('/agents', 'text/markdown', (url) => guide(url, oauth !== undefined))
}

const overview = (url: string): string => `# Molar

> ${instructions.split('\n')[0]}

## For agents

- [How to connect and what to do](${url}/agents): the address, the loop, the tools
- [MCP](${url}/mcp): the server itself, streamable HTTP
- [Capabilities](${url}/.well-known/molar-capabilities.json): every command by tool, route and verb

## For programs

- [OpenAPI](${url}/openapi.json): the same commands over REST
- [Install](${url}/install): one click for Cursor, VS Code and Claude
`

const guide = (url: string, oauth: boolean): string => `# Molar for agents

${instructions}

## Connect

- MCP: ${url}/mcp (streamable HTTP). ${oauth ? 'Without a key it answers 401 and says where to sign in: OAuth 2.1, code with PKCE, clients register themselves or are known by a metadata document.' : 'Send the key of this installation.'}
- With a key: \`Authorization: Bearer molar_sk_…\`, on MCP and on REST (${url}/openapi.json).
- \`${url}/mcp?toolsets=all\` lists every tool, \`?read_only=true\` those that change nothing.

## Tools

${commands
  .filter(({ toolset }) => toolset.default)
  .map(line)
  .join('\n')}

Others, through \`molar_search_tools\` and \`molar_execute_tool\`: ${others()}.

## Scopes

${Object.entries(scopes)
  .map(([name, words]) => `- \`${name}\`: ${words}`)
  .join('\n')}
`

const line = ({ tool, summary }: Command): string => `- \`${tool}\`: ${summary}`

/** Nouns by how many tools they have. */
function others(): string {
  const hidden = commands.filter(({ toolset }) => !toolset.default)
  const names = [...new Set(hidden.map(({ toolset }) => toolset.name))]
  return names.map((name) => `${name} (${hidden.filter(({ toolset }) => toolset.name === name).length})`).join(', ')
}
