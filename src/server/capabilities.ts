import { defaultScope, oauthPaths, resourceOf } from '../auth/oauth/resource.ts'
import type { Command } from '../core/command.ts'
import { scopes } from '../core/principal.ts'
import { cliName } from '../rest/reference.ts'
import { defineTool, reachTools } from '../tools/index.ts'

/** MCP versions that /mcp and stdio speak. */
export const protocolVersions = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26']

export interface ManifestOptions {
  /** Where the server is reached, without a trailing slash. */
  url: string
  version: string
  /** Whether apps can be connected here: not on a laptop by itself. */
  oauth: boolean
}

/** The manifest at /.well-known/molar-capabilities.json: what there is, by which name, on every door. */
export function capabilities(commands: readonly Command[], { url, version, oauth }: ManifestOptions) {
  const at = (path: string) => url + path
  return {
    name: 'molar',
    version,
    protocolVersions,
    endpoints: {
      mcp: at('/mcp'),
      rest: at('/v1'),
      openapi: at('/openapi.json'),
      health: at('/healthz'),
      ready: at('/readyz'),
    },
    auth: {
      schemes: ['bearer', ...(oauth ? ['oauth2'] : [])],
      header: 'Authorization: Bearer <token>',
      /** Where a person makes a key or a token of their own. */
      keys: at('/keys'),
      ...(oauth && { oauth2: oauth2(url) }),
    },
    scopes: Object.entries(scopes).map(([name, description]) => ({ name, description })),
    toolsets: toolsets(commands),
    tools: [...commands.map(commandTool), ...reachTools(false).map(reachTool)],
    resources: commands.flatMap(({ name, resource }) =>
      resource ? [{ uriTemplate: resource.uri, name: resource.name, command: name }] : [],
    ),
    commands: commands.map((command) => ({
      name: command.name,
      summary: command.summary,
      scope: command.access.scope,
      effect: command.effect,
      rest: command.routes.map(({ method, path }) => `${method} ${path}`),
      tool: command.tool,
      cli: cliName(command),
    })),
  }
}

/** Where an app finds out how to be let in; the metadata says the rest. */
function oauth2(url: string) {
  const { server, resource, authorize, token, register, revoke, introspect, device } = oauthPaths
  const endpoints = { authorize, token, register, revoke, introspect, device }
  return {
    issuer: url,
    metadata: url + server,
    resource: resourceOf(url),
    resourceMetadata: `${url}${resource}/mcp`,
    endpoints: Object.fromEntries(Object.entries(endpoints).map(([name, path]) => [name, url + path])),
    codeChallengeMethods: ['S256'],
    clientRegistration: ['dynamic', 'client_id_metadata_document'],
    defaultScope,
    install: `${url}/install`,
  }
}

const commandTool = (command: Command) => ({
  name: command.tool,
  title: command.title,
  command: command.name,
  toolset: command.toolset.name,
  scope: command.access.scope,
  annotations: defineTool(command).annotations,
})

/** Of the MCP door alone: it is no command, is in no toolset, and needs the scope of whatever it reaches. */
const reachTool = ({ name, title, annotations }: ReturnType<typeof reachTools>[number]) => ({
  name,
  title,
  command: null,
  toolset: null,
  scope: null,
  annotations,
})

function toolsets(commands: readonly Command[]) {
  const names = [...new Set(commands.map(({ toolset }) => toolset.name))]
  return names.map((name) => {
    const members = commands.filter(({ toolset }) => toolset.name === name)
    return { name, default: members.some(({ toolset }) => toolset.default), tools: members.map(({ tool }) => tool) }
  })
}
