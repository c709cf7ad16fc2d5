import { guessContentType } from '../fences.ts'
import { form } from '../form.ts'

const times = { options: { times: 'integer' } } as const

/** Requests of the scenario's own, and what the page's requests meet. */
export const network = [
  form(
    'Request <method> <path> [with <value>] [expects <status>]',
    ({ method, path, value, status }, { options, body }) => {
      const sent = body ?? (value === undefined ? undefined : { value, content_type: guessContentType(value) })
      return {
        verb: 'request',
        method,
        url: path,
        ...(sent && { body: sent.value, content_type: options.content_type ?? sent.content_type }),
        ...(status !== undefined && { expects: status }),
      }
    },
    {
      options: { content_type: 'text' },
      body: 'allowed',
      check: ({ value }, { body }) =>
        value !== undefined && body ? 'A request has one body: after "with", or in the block below.' : undefined,
    },
  ),
  form(
    'Inject error <status> on <request>',
    ({ status, request }, { options }) => ({
      verb: 'inject_error',
      status,
      ...request,
      ...(options.times && { times: options.times }),
    }),
    times,
  ),
  form(
    'Respond to <request> with <status>',
    ({ request, status }, { options, body }) => ({
      verb: 'respond',
      status,
      ...request,
      body: body?.value ?? '',
      content_type: options.content_type ?? body?.content_type ?? 'text/plain',
      ...(options.times && { times: options.times }),
    }),
    { options: { times: 'integer', content_type: 'text' }, body: 'allowed' },
  ),
  form(
    'Inject latency <duration> on <request>',
    ({ duration, request }, { options }) => ({
      verb: 'inject_latency',
      ms: duration,
      ...request,
      ...(options.times && { times: options.times }),
    }),
    times,
  ),
  form('Inject offline', () => ({ verb: 'offline' })),
  form('Inject online', () => ({ verb: 'online' })),
]
