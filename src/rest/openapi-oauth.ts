import type { Paths } from './openapi.ts'
import type { Operation } from './openapi-operation.ts'

// The authorization server's routes, for apps. What each takes and answers is in the RFCs; a client library knows them.

type Method = 'get' | 'post'
const routes: readonly (readonly [method: Method, path: string, id: string, summary: string])[] = [
  ['get', '/.well-known/oauth-authorization-server', 'metadata', 'The authorization server (RFC 8414)'],
  ['get', '/.well-known/oauth-authorization-server/mcp', 'metadata_mcp', 'The same, where older clients look'],
  ['get', '/.well-known/oauth-protected-resource', 'resource', 'What tokens are for (RFC 9728)'],
  ['get', '/.well-known/oauth-protected-resource/mcp', 'resource_mcp', 'The same, under the resource’s own path'],
  ['get', '/api/oauth/authorize', 'authorize', 'Ask a person for access: code with PKCE S256'],
  ['get', '/api/oauth/authorize/{uid}', 'authorize_go_on', 'Back from the consent page'],
  ['post', '/api/oauth/token', 'token', 'Exchange a code, a device code or a refresh token'],
  ['post', '/api/oauth/register', 'register', 'Register a client (RFC 7591)'],
  ['post', '/api/oauth/revoke', 'revoke', 'Revoke a token and all that its grant gave (RFC 7009)'],
  ['post', '/api/oauth/introspect', 'introspect', 'Look at a token of the client’s own (RFC 7662)'],
  ['post', '/api/oauth/device', 'device', 'Ask for a code to show on a device (RFC 8628)'],
]

export function oauthPaths(): Paths {
  return Object.fromEntries(routes.map((route) => [route[1], { [route[0]]: operation(...route) }]))
}

function operation(method: Method, path: string, id: string, summary: string): Operation {
  const type = id === 'register' ? 'application/json' : 'application/x-www-form-urlencoded'
  const body = { description: 'As the RFC says', content: { [type]: { schema: { type: 'object' } } } }
  const answer = { content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } } }
  const redirects = path.includes('/authorize')
  return {
    operationId: `oauth.${id}`,
    summary,
    tags: ['OAuth'],
    security: [],
    ...(path.includes('{uid}') && {
      parameters: [{ name: 'uid', in: 'path', required: true, schema: { type: 'string' } }],
    }),
    ...(method === 'post' && { requestBody: body }),
    responses: redirects
      ? {
          303: { description: 'To the consent page, or back to the app' },
          400: { description: 'A page that says why', content: { 'text/html': { schema: { type: 'string' } } } },
        }
      : { 200: { description: 'The answer', ...answer }, 400: { description: 'An OAuth error', ...answer } },
  }
}
