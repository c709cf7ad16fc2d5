import type { Command, Route } from '../core/command.ts'
import { type ErrorCode, errorTable } from '../core/errors.ts'
import type { Components } from './openapi.ts'

const everywhere: ErrorCode[] = [
  'bad_request',
  'unauthorized',
  'forbidden',
  'insufficient_scope',
  'rate_limited',
  'internal',
  'unavailable',
]
const fresh: ErrorCode[] = ['reauthentication_required']
const withInput: ErrorCode[] = ['validation_failed']
const withBody: ErrorCode[] = ['malformed_json', 'payload_too_large', 'unsupported_media_type']
const withKey: ErrorCode[] = ['idempotency_in_flight', 'idempotency_key_reused']

/** Every error code that this route may answer with: its command's own, and those of the way there. */
export function errorsOf(command: Command, route: Route): ErrorCode[] {
  const hasInput = Object.keys(command.input.shape).length > 0
  const hasBody = route.method !== 'GET' && route.method !== 'DELETE'
  return [
    ...command.errors,
    ...everywhere,
    ...(command.access.fresh ? fresh : []),
    ...(hasInput ? withInput : []),
    ...(hasBody ? withBody : []),
    ...(command.effect === 'read' ? [] : withKey),
  ]
}

/** One response a status, each naming the codes behind it; equal ones are shared as components. */
export function describeErrors(codes: readonly ErrorCode[], components: Components): Record<string, { $ref: string }> {
  const statuses = Map.groupBy(new Set(codes), (code) => errorTable[code].status)
  const described = [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, members]) => [status, share(status, members.sort(), components)])
  return Object.fromEntries(described)
}

function share(status: number, codes: ErrorCode[], components: Components): { $ref: string } {
  const name = codes.map(pascalCase).join('-')
  components.responses[name] ??= {
    description: codes.map((code) => `\`${code}\``).join(' or '),
    headers: { 'X-Request-Id': { $ref: '#/components/headers/RequestId' }, ...extraHeaders[status] },
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  }
  return { $ref: `#/components/responses/${name}` }
}

const extraHeaders: Record<number, object> = {
  401: { 'WWW-Authenticate': { description: 'The scheme that is asked for.', schema: { type: 'string' } } },
  405: { Allow: { description: 'The methods that the path takes.', schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Seconds until it is worth trying again.', schema: { type: 'integer' } } },
}

const pascalCase = (code: string): string =>
  code.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
