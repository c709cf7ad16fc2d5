import type { BrowserContext, Request, Response } from 'playwright-core'
import { type BoundedEmitter, bodyLimit, clip, textLimit, urlLimit } from './bounded.ts'
import { within } from './deadline.ts'
import type { RequestFacts } from './event.ts'
import type { Redactor } from './redact.ts'

const quietTypes = new Set(['image', 'font', 'stylesheet', 'media', 'texttrack'])
const talkingTypes = new Set(['xhr', 'fetch'])
const readable = /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:json|xml)|application\/problem)/i
const bodyReadLimit = 65_536

interface Pending {
  facts: RequestFacts
  started: number
  response?: Response
  /** The step in which the answer came: reading its body may take into the next. */
  step?: string | null
}

/** Turns a context's requests into events. Static assets appear only when they fail. `flush` reports what never ended. */
export function recordNetwork(
  context: BrowserContext,
  out: BoundedEmitter,
  redact: Redactor,
  pageName: (request: Request) => string | undefined,
) {
  const pending = new Map<Request, Pending>()
  const ids = new WeakMap<Request, string>()
  const bodies = new Set<Promise<void>>()
  let count = 0

  function factsOf(request: Request): RequestFacts {
    const id = `r${++count}`
    ids.set(request, id)
    const contentType = request.headers()['content-type']
    const from = request.redirectedFrom()
    const page = pageName(request)
    return {
      request_id: id,
      method: request.method(),
      url: clip(request.url(), urlLimit, redact),
      resource_type: request.resourceType(),
      ...(page ? { page } : {}),
      ...(contentType ? { request_content_type: clip(contentType, 200, redact) } : {}),
      ...(from && ids.has(from) ? { redirected_from: ids.get(from)! } : {}),
    }
  }

  function onRequest(request: Request): void {
    const facts = factsOf(request)
    pending.set(request, { facts, started: performance.now() })
    if (!quietTypes.has(facts.resource_type)) out.emit({ kind: 'network.request', ...facts })
  }

  function onResponse(response: Response): void {
    const entry = pending.get(response.request())
    if (!entry) return
    entry.response = response
    entry.step = out.step
    // Told now and not at its end: a page that looks at the status alone leaves the body unread, and it never ends.
    if (response.status() >= 400 && talkingTypes.has(entry.facts.resource_type)) {
      pending.delete(response.request())
      tellWithBody(response, entry)
    }
  }

  function onEnd(request: Request): void {
    const entry = pending.get(request)
    if (!entry) return
    pending.delete(request)
    const { response, facts } = entry
    const failed = request.failure() !== null || (response?.status() ?? 0) >= 400
    if (quietTypes.has(facts.resource_type) && !failed) return
    tell(request, entry)
  }

  function tellWithBody(response: Response, entry: Pending): void {
    const work = readBody(response, redact).then((body) => tell(response.request(), entry, body))
    bodies.add(work)
    void work.finally(() => bodies.delete(work))
  }

  function tell(request: Request, entry: Pending, body?: string): void {
    const failure = request.failure()?.errorText
    const event = {
      kind: 'network.response' as const,
      ...entry.facts,
      ...answerOf(entry.response, redact),
      ...(failure ? { failure: clip(failure, textLimit, redact) } : {}),
      duration_ms: duration(request, entry.started),
      ...(body ? { body } : {}),
    }
    out.emit(event, entry.step)
  }

  context.on('request', onRequest).on('response', onResponse).on('requestfinished', onEnd).on('requestfailed', onEnd)

  return {
    /** Waits for bodies still being read, then tells of requests that never ended: event streams, and those cut off by the run's end. */
    async flush(): Promise<void> {
      context
        .off('request', onRequest)
        .off('response', onResponse)
        .off('requestfinished', onEnd)
        .off('requestfailed', onEnd)
      await Promise.all(bodies)
      for (const { facts, response, step } of pending.values()) {
        if (quietTypes.has(facts.resource_type)) continue
        out.emit({ kind: 'network.response', ...facts, ...answerOf(response, redact), unfinished: true }, step)
      }
      pending.clear()
    },
  }
}

function answerOf(
  response: Response | undefined,
  redact: Redactor,
): { status?: number; content_type?: string; bytes?: number } {
  if (!response) return {}
  const headers = response.headers()
  const type = headers['content-type']
  const bytes = Number(headers['content-length'] ?? Number.NaN)
  return {
    status: response.status(),
    ...(type ? { content_type: clip(type, 200, redact) } : {}),
    ...(Number.isFinite(bytes) ? { bytes } : {}),
  }
}

/** Milliseconds from sending to the last byte, by the browser's clock where it has one. */
function duration(request: Request, started: number): number {
  const { startTime, responseEnd } = request.timing()
  return Math.max(0, Math.round(responseEnd >= 0 && startTime > 0 ? responseEnd : performance.now() - started))
}

/** The beginning of a small text answer, or nothing: a body may be gone, endless or binary. */
async function readBody(response: Response, redact: Redactor): Promise<string | undefined> {
  const headers = response.headers()
  if (!readable.test(headers['content-type'] ?? '') || Number(headers['content-length'] ?? 0) > bodyReadLimit)
    return undefined
  const text = await within(1000, response.text())
  return text ? clip(text, bodyLimit, redact) : undefined
}
