import type { ErrorCode } from '../core/errors.ts'
import type { Paths } from './openapi.ts'
import { oauthPaths } from './openapi-oauth.ts'
import type { Operation } from './openapi-operation.ts'
import { pagePaths } from './openapi-pages.ts'

type Errors = (codes: readonly ErrorCode[]) => Record<string, object>

/** Routes that no command stands behind. test/routes-without-command.txt lists them, and a test compares. */
export function plainPaths(errors: Errors): Paths {
  const description = json({ type: 'object', additionalProperties: true })
  return {
    '/healthz': { get: plain('server.health', 'Is the process alive', { 200: json(health) }) },
    '/readyz': { get: plain('server.ready', 'Can it do its work', readyAnswers) },
    '/v1/ready': { get: plain('server.ready_v1', 'Can it do its work', readyAnswers) },
    '/metrics': {
      get: plain('server.metrics', 'Metrics for Prometheus', { 200: body('text/plain', 'Metrics, one a line.') }),
    },
    '/openapi.json': { get: plain('server.openapi', 'This document', { 200: description }) },
    '/v1/openapi.json': { get: plain('server.openapi_v1', 'This document', { 200: description }) },
    '/.well-known/molar-capabilities.json': {
      get: plain('server.capabilities', 'Commands, tools and resources by name', { 200: description }),
    },
    '/blobs/{org}/{sha256}': { get: blob(errors) },
    '/exports/{org}': { get: exported(errors) },
    '/mcp': mcp(errors),
    ...oauthPaths(),
    ...pagePaths(),
  }
}

const health = {
  type: 'object',
  required: ['status', 'version'],
  properties: { status: { const: 'ok' }, version: { type: 'string' } },
}

const check = { type: 'object', required: ['ok'], properties: { ok: { type: 'boolean' }, message: { type: 'string' } } }
const readiness = {
  type: 'object',
  required: ['status', 'checks'],
  properties: { status: { enum: ['ready', 'not_ready'] }, checks: { type: 'object', additionalProperties: check } },
}
const readyAnswers = {
  200: json(readiness, 'Every part is there'),
  503: json(readiness, 'A part is missing: its check says which'),
}

function plain(operationId: string, summary: string, responses: Record<string, object>): Operation {
  return { operationId, summary, tags: ['Server'], security: [], responses }
}

function json(schema: object, description = 'The answer') {
  return { description, content: { 'application/json': { schema } } }
}

function body(type: string, description: string) {
  return { description, content: { [type]: { schema: { type: 'string' } } } }
}

function blob(errors: Errors): Operation {
  const parameter = (name: string, place: 'path' | 'query', description: string, required = true) => ({
    name,
    in: place,
    required,
    description,
    schema: { type: 'string' },
  })
  return {
    ...plain('server.blob', 'Read a file through a signed link', {
      200: body('*/*', 'The file'),
      206: body('*/*', 'The part that the Range header asks for'),
      ...errors(['forbidden', 'not_found', 'range_not_satisfiable']),
    }),
    parameters: [
      parameter('org', 'path', 'The org that owns it'),
      parameter('sha256', 'path', 'SHA-256 of its content, in hex'),
      parameter('expires', 'query', 'When the link runs out, in seconds since 1970'),
      parameter('signature', 'query', 'Made by the server with the link'),
      parameter('name', 'query', 'The file’s name', false),
      parameter('type', 'query', 'The file’s media type', false),
    ],
  }
}

function exported(errors: Errors): Operation {
  const parameter = (name: string, place: 'path' | 'query', description: string) => ({
    name,
    in: place,
    required: true,
    description,
    schema: { type: 'string' },
  })
  return {
    ...plain('server.export', 'All that an org owns, through the link of orgs.export', {
      200: body('application/gzip', 'A tar file, compressed'),
      ...errors(['unauthorized', 'forbidden']),
    }),
    parameters: [
      parameter('org', 'path', 'The org, by id'),
      parameter('token', 'query', 'Made by the server with the link; good once'),
    ],
  }
}

/** One endpoint of the Model Context Protocol, for the 2026-07-28 revision and for the sessions of the ones before. */
function mcp(errors: Errors): Paths[string] {
  const security = [{ bearer: [] }]
  const message = {
    type: 'object',
    additionalProperties: true,
    description: 'A JSON-RPC message of the Model Context Protocol',
  }
  const stream = { schema: { type: 'string', description: 'JSON-RPC messages as server-sent events' } }
  const failures = errors([
    'bad_request',
    'unauthorized',
    'forbidden',
    'not_found',
    'unsupported_media_type',
    'internal',
  ])
  const both = {
    description: 'The answer',
    content: { 'application/json': { schema: message }, 'text/event-stream': stream },
  }
  const post = {
    ...plain('server.mcp', 'Send an MCP message', {
      200: both,
      202: { description: 'Taken; there is no answer' },
      ...failures,
    }),
    requestBody: { required: true, content: { 'application/json': { schema: message } } },
    security,
  }
  const get = {
    ...plain('server.mcp_stream', 'Listen to an MCP session', {
      200: { description: 'Messages', content: { 'text/event-stream': stream } },
      ...failures,
    }),
    security,
  }
  const end = {
    ...plain('server.mcp_end', 'End an MCP session', { 200: { description: 'The session has ended' }, ...failures }),
    security,
  }
  return { post, get, delete: end }
}
