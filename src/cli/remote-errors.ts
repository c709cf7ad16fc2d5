import { CommandError, type ErrorCode, errorTable, fail } from '../core/errors.ts'
import type { Remote } from './remote.ts'

/** The server's `{error, message, details?}` as the error that it was there; something telling for any other answer. Throws. */
export async function readRefusal(remote: Remote, response: Response): Promise<never> {
  const text = await response.text()
  const { error, message, details } = readJson(text)
  if (typeof error === 'string' && typeof message === 'string') {
    const code = Object.hasOwn(errorTable, error) ? (error as ErrorCode) : codeOf(response.status)
    throw new CommandError(
      code,
      message,
      typeof details === 'object' && details ? { details: details as Record<string, unknown> } : {},
    )
  }
  if (response.status >= 300 && response.status < 400) {
    fail(
      'unavailable',
      `${remote.url} sends elsewhere, to ${response.headers.get('location') ?? 'nowhere'}. Set MOLAR_URL to the server's own address.`,
    )
  }
  return fail(
    codeOf(response.status),
    `${remote.url} answered ${response.status}, and not as a Molar server does. Check MOLAR_URL.`,
  )
}

/** Why there was no answer at all. Throws. */
export function unreachable(remote: Remote, cause: unknown): never {
  if (remote.signal.aborted) fail('cancelled', 'Stopped. What the server had already begun may go on there.', { cause })
  const reason = (cause as { cause?: NodeJS.ErrnoException }).cause
  const why = reason?.code === 'ECONNREFUSED' ? 'nothing listens there' : (reason?.message ?? (cause as Error).message)
  return fail(
    'unavailable',
    `No answer from ${remote.url}: ${why}. Is it running? Without --url and MOLAR_URL, this machine does the work itself.`,
    { cause },
  )
}

function codeOf(status: number): ErrorCode {
  if (status >= 502 && status <= 504) return 'unavailable'
  const found = Object.entries(errorTable).find(([, facts]) => facts.status === status)
  return (found?.[0] as ErrorCode | undefined) ?? (status >= 500 ? 'internal' : 'bad_request')
}

function readJson(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? {}
  } catch {
    return {}
  }
}
