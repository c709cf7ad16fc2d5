import type { APIResponse } from 'playwright-core'
import type { PlanStep } from '../plan.ts'
import { isTimeout, plainReason, StepFailure } from './failure.ts'
import { absoluteUrl } from './navigation.ts'
import type { SessionState } from './state.ts'
import { textOf } from './state.ts'
import type { Deadline } from './waiting.ts'
import { inWords, timeLeft } from './waiting.ts'

const mostRedirects = 10

interface Asked {
  method: string
  url: string
  headers: Record<string, string>
  data?: string
}

/** A call beside the page that shares its cookies; its answer becomes the last answer. */
export async function makeRequest(
  state: SessionState,
  step: PlanStep & { verb: 'request' },
  deadline: Deadline,
): Promise<void> {
  const url = absoluteUrl(state, textOf(state, step.url))
  const headers: Record<string, string> = { ...step.headers }
  if (step.body !== undefined && step.content_type) headers['content-type'] = step.content_type
  const asked: Asked = { method: step.method.toUpperCase(), url, headers }
  if (step.body !== undefined) asked.data = textOf(state, step.body)
  const started = performance.now()
  const response = await ask(state, asked, deadline)
  const [status, body] = [response.status(), await response.text()]
  state.traffic.lastAnswer = { method: asked.method, url, status, body }
  const duration_ms = Math.round(performance.now() - started)
  state.environment.onEvent?.({ kind: 'request', method: asked.method, url, status, duration_ms })
  if (step.expects === undefined || step.expects === status) return
  throw new StepFailure('assertion', `${asked.method} ${url} answered ${status}, not ${step.expects}.`, {
    expected: `status ${step.expects}`,
    actual: `status ${status}: ${body.slice(0, 10_000)}`,
  })
}

// Redirects are followed here, one by one, so that each address is asked about: no page route sees these calls.
async function ask(state: SessionState, first: Asked, deadline: Deadline): Promise<APIResponse> {
  let asked = first
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    await mayAsk(state, asked.url)
    const response = await fetchOnce(state, asked, deadline)
    const location = response.headers().location
    if (![301, 302, 303, 307, 308].includes(response.status()) || location === undefined) return response
    asked = redirected(asked, response.status(), location)
    await response.dispose()
  }
  throw new StepFailure('action', `${first.url} redirects more than ${mostRedirects} times.`)
}

async function mayAsk(state: SessionState, url: string): Promise<void> {
  try {
    await state.environment.allowRequest?.(url)
  } catch (error) {
    throw new StepFailure(
      'environment',
      `This run may not request ${url}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function redirected(asked: Asked, status: number, location: string): Asked {
  const url = new URL(location, asked.url)
  if (!['http:', 'https:'].includes(url.protocol))
    throw new StepFailure('action', `${asked.url} redirects to a ${url.protocol} address.`)
  // What browsers do: 303 becomes GET, and so does a POST that is answered 301 or 302.
  const becomesGet = status === 303 ? asked.method !== 'HEAD' : status < 303 && asked.method === 'POST'
  const sameOrigin = new URL(asked.url).origin === url.origin
  const headers = sameOrigin ? { ...asked.headers } : withoutCredentials(asked.headers)
  if (!becomesGet) return { ...asked, url: url.href, headers }
  delete headers['content-type']
  return { method: 'GET', url: url.href, headers }
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !['authorization', 'cookie'].includes(name.toLowerCase()))
  return Object.fromEntries(kept)
}

/** In words, what Node says where nobody answers. */
function whyUnanswered(reason: string): string {
  if (/ECONNREFUSED|ECONNRESET|socket hang up|Proxy connection ended/.test(reason))
    return 'nothing answers there (connection refused or cut)'
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'its name cannot be resolved'
  return reason
}

async function fetchOnce(
  state: SessionState,
  { method, url, headers, data }: Asked,
  deadline: Deadline,
): Promise<APIResponse> {
  const body = data === undefined ? {} : { data: Buffer.from(data) }
  try {
    const options = { method, headers, ...body, maxRedirects: 0, failOnStatusCode: false, timeout: timeLeft(deadline) }
    return await state.context.request.fetch(url, options)
  } catch (error) {
    const reason = isTimeout(error) ? `no answer within ${inWords(deadline.ms)}` : whyUnanswered(plainReason(error))
    throw new StepFailure('environment', `${method} ${url} failed: ${reason}.`, {
      expected: 'an answer',
      actual: reason,
    })
  }
}
