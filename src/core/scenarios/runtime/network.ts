import type { BrowserContext, Request } from 'playwright-core'
import { clipText, StepFailure } from './failure.ts'
import { urlMatches } from './matching.ts'
import type { Deadline } from './waiting.ts'
import { boundedBy, deadlineIn, inWords, pollUntil, timeLeft } from './waiting.ts'

/** A request of the page and what became of it. */
export interface Exchange {
  seq: number
  request: Request
  method: string
  url: string
  status?: number
  /** Why the network gave no answer. */
  failure?: string
}

/** The answer that `Assert response …` and `Remember response …` read. */
export interface LastAnswer {
  method: string
  url: string
  status: number
  body: string
}

export interface Traffic {
  exchanges: Exchange[]
  /** Sequence number of the first exchange that belongs to the latest action. */
  since: number
  nextSeq: number
  lastAnswer?: LastAnswer
}

const mostExchanges = 5000

/** Records every request from now on: a wait comes after the action that caused what it waits for. */
export function watchTraffic(context: BrowserContext): Traffic {
  const traffic: Traffic = { exchanges: [], since: 0, nextSeq: 0 }
  const known = new WeakMap<Request, Exchange>()
  context.on('request', (request) => {
    const exchange: Exchange = { seq: traffic.nextSeq++, request, method: request.method(), url: request.url() }
    known.set(request, exchange)
    traffic.exchanges.push(exchange)
    if (traffic.exchanges.length > mostExchanges) traffic.exchanges.shift()
  })
  context.on('response', (response) => {
    const exchange = known.get(response.request())
    if (exchange) exchange.status = response.status()
  })
  context.on('requestfailed', (request) => {
    const exchange = known.get(request)
    if (exchange) exchange.failure = request.failure()?.errorText ?? 'failed'
  })
  return traffic
}

/** Waits a moment for answers that are on their way: all, or those that are `meant`. */
export async function untilAnswered(
  traffic: Traffic,
  ms: number,
  meant: (one: Exchange) => boolean = () => true,
): Promise<void> {
  const isPending = (one: Exchange) => one.status === undefined && one.failure === undefined && meant(one)
  await pollUntil(deadlineIn(ms), () => (traffic.exchanges.some(isPending) ? undefined : true), 'local')
}

/** From here on is "since the action before". */
export function markAction(traffic: Traffic): void {
  traffic.since = traffic.nextSeq
}

export interface ExchangeQuery {
  method: string
  pattern: string
  status?: number
}

function concerns(exchange: Exchange, { method, pattern }: ExchangeQuery): boolean {
  return (method === '*' || exchange.method === method.toUpperCase()) && urlMatches(pattern, exchange.url)
}

function sinceAction(traffic: Traffic): Exchange[] {
  return traffic.exchanges.filter((exchange) => exchange.seq >= traffic.since)
}

/** The first request since the last action that fits, or one that comes in time. */
export async function awaitRequest(traffic: Traffic, query: ExchangeQuery, deadline: Deadline): Promise<void> {
  const find = () => sinceAction(traffic).find((exchange) => concerns(exchange, query))
  if (!(await pollUntil(deadline, find, 'local'))) throw nothingCame('request', traffic, query, deadline)
}

/** As `awaitRequest`, for its answer, which becomes the last answer. A status that is asked for must be the answer's. */
export async function awaitResponse(traffic: Traffic, query: ExchangeQuery, deadline: Deadline): Promise<void> {
  const fits = (one: Exchange) =>
    concerns(one, query) && one.status !== undefined && (query.status === undefined || one.status === query.status)
  const found = await pollUntil(deadline, () => sinceAction(traffic).find(fits), 'local')
  if (!found) throw nothingCame('response', traffic, query, deadline)
  const response = await boundedBy(found.request.response(), timeLeft(deadline), () => null)
  const body = response ? await boundedBy(response.text(), timeLeft(deadline), () => '').catch(() => '') : ''
  traffic.lastAnswer = { method: found.method, url: found.url, status: found.status!, body }
}

function nothingCame(
  what: 'request' | 'response',
  traffic: Traffic,
  query: ExchangeQuery,
  deadline: Deadline,
): StepFailure {
  const asked = `${query.method} ${query.pattern}${query.status === undefined ? '' : ` with status ${query.status}`}`
  const matching = sinceAction(traffic).filter((exchange) => concerns(exchange, query))
  const others = sinceAction(traffic).filter((one) => ['xhr', 'fetch', 'document'].includes(one.request.resourceType()))
  const seen = (matching.length > 0 ? matching : others).slice(-5).map(exchangeInWords)
  return new StepFailure('action', `No ${what} ${asked} since the action before (waited ${inWords(deadline.ms)}).`, {
    expected: `${what} ${asked}`,
    actual: seen.length > 0 ? seen.join('; ') : 'no such traffic',
  })
}

/** "POST http://… → 500". */
export function exchangeInWords({ method, url, status, failure }: Exchange): string {
  return `${method} ${clipText(url, 200)} → ${failure ?? status ?? 'no answer yet'}`
}

/** The last answer, or a failure that says how to get one. */
export function answerOf(traffic: Traffic): LastAnswer {
  if (traffic.lastAnswer) return traffic.lastAnswer
  throw new StepFailure('assertion', 'There is no response to look at yet.', {
    expected: 'a response',
    actual: 'none was awaited or requested',
    hint: 'Put `Wait for response GET /path` or `Request GET /path` before this step.',
  })
}
