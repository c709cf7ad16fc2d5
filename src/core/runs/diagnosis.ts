import { z } from 'zod'
import { untrusted } from '../fields.ts'
import type { Failure, RunEvent, StepResult } from './run.ts'

/** Why a run failed, from its events alone; every statement cites the events (seq) it rests on. docs/diagnosis.md explains the ranking. */
export const diagnosis = z.object({
  summary: untrusted().describe('One or two sentences; may quote the page'),
  evidence: z.array(
    z.object({
      kind: z.enum([
        'request_failed',
        'page_error',
        'console_error',
        'near_match',
        'navigation',
        'dialog',
        'environment',
      ]),
      text: untrusted(),
      score: z.int(),
      seq: z.array(z.int()),
    }),
  ),
})
export type Diagnosis = z.infer<typeof diagnosis>
type Evidence = Diagnosis['evidence'][number]

const maxEvidence = 8
const maxText = 400

/** Where an event lies, seen from the failing step: in the step or the action that led to it, in the step before, or earlier. */
type Distance = 'near' | 'before' | 'earlier'
const scores: Record<
  'server_error' | 'no_answer' | 'refused' | 'page_error' | 'console_error',
  Record<Distance, number>
> = {
  server_error: { near: 100, before: 70, earlier: 45 },
  no_answer: { near: 95, before: 65, earlier: 40 },
  page_error: { near: 90, before: 60, earlier: 35 },
  refused: { near: 80, before: 50, earlier: 25 },
  console_error: { near: 60, before: 40, earlier: 15 },
}

export function diagnose(failure: Failure, steps: readonly StepResult[], events: readonly RunEvent[]): Diagnosis {
  const distance = distanceFrom(failure, steps, events)
  const found = events.flatMap((event) => readEvidence(event, distance(event)))
  const evidence = merge([...nearMatches(failure, events), ...found])
    .sort((a, b) => b.score - a.score || (b.seq[0] ?? 0) - (a.seq[0] ?? 0))
    .slice(0, maxEvidence)
  return { summary: summarise(failure, evidence[0]), evidence }
}

/** An assertion or a wait is about what the last action caused, so the window opens where that action began. */
function distanceFrom(
  failure: Failure,
  steps: readonly StepResult[],
  events: readonly RunEvent[],
): (event: RunEvent) => Distance {
  const number = failure.step?.number ?? Number.POSITIVE_INFINITY
  const passive = (text: string) =>
    /^\s*(?:\d+[.)]|[-*])?\s*(assert|expect|wait|remember|screenshot|snapshot|debug)\b/i.test(text)
  const before = steps.filter((step) => step.number < number)
  const action = passive(failure.step?.text ?? '') ? before.findLast((step) => !passive(step.text)) : undefined
  const opening = action?.number ?? number
  const starts = new Map(
    events.filter((event) => event.kind === 'step.start').map((event) => [event.number as number, event.seq]),
  )
  const nearFrom = starts.get(opening) ?? 0
  const beforeFrom = starts.get(opening - 1) ?? nearFrom
  return (event) => (event.seq >= nearFrom ? 'near' : event.seq >= beforeFrom ? 'before' : 'earlier')
}

function readEvidence(event: RunEvent, distance: Distance): Evidence[] {
  const say = (kind: Evidence['kind'], score: number, text: string): Evidence[] => [
    { kind, score, text: clip(text), seq: [event.seq] },
  ]
  if (event.kind === 'network.response') {
    const status = Number(event.status ?? 0)
    const what = `${event.method} ${event.url}`
    if (event.failure)
      return event.failure === 'net::ERR_ABORTED'
        ? []
        : say('request_failed', scores.no_answer[distance], `${what} got no answer: ${event.failure}`)
    if (status < 400) return []
    const body = typeof event.body === 'string' && event.body !== '' ? `: ${event.body}` : ''
    return say(
      'request_failed',
      scores[status >= 500 ? 'server_error' : 'refused'][distance],
      `${what} answered ${status}${body}`,
    )
  }
  if (event.kind === 'console.error') {
    if (event.unhandled) return say('page_error', scores.page_error[distance], `The page threw: ${event.text}`)
    return say('console_error', scores.console_error[distance], `The console says: ${event.text}`)
  }
  if (event.kind === 'log' && event.about === 'dialog' && distance === 'near') return say('dialog', 55, `${event.text}`)
  return []
}

/** The element that was meant, under another name: the likeliest cause when an action found nothing. */
function nearMatches(failure: Failure, events: readonly RunEvent[]): Evidence[] {
  const seq = events.findLast((event) => event.kind === 'step.end')?.seq
  return (failure.candidates ?? []).slice(0, 3).map((candidate, place) => ({
    kind: 'near_match' as const,
    score: 75 - place,
    text: clip(`${candidate.description} (${candidate.why})`),
    seq: seq === undefined ? [] : [seq],
  }))
}

/** The same thing said often is one piece of evidence; the browser's own echo of a failed request is none. */
function merge(all: readonly Evidence[]): Evidence[] {
  const byText = new Map<string, Evidence>()
  for (const one of all) {
    if (
      one.kind === 'console_error' &&
      /Failed to load resource/.test(one.text) &&
      all.some((other) => other.kind === 'request_failed')
    )
      continue
    const key = `${one.kind} ${normalise(one.text)}`
    const seen = byText.get(key)
    if (!seen) byText.set(key, { ...one })
    else byText.set(key, { ...(seen.score >= one.score ? seen : one), seq: [...seen.seq, ...one.seq].slice(0, 5) })
  }
  return [...byText.values()]
}

function summarise(failure: Failure, top: Evidence | undefined): string {
  const place = failure.step
    ? `Step ${failure.step.number} (line ${failure.step.line}) ${failure.kind === 'assertion' ? 'did not hold' : 'could not be done'}: `
    : ''
  const cause = top && top.score >= 60 ? ` Most likely: ${top.text}` : ''
  return clip(`${place}${failure.message}${cause}`, 700)
}

/** Numbers, ids and quoted values out, so that the same trouble reads the same. */
export const normalise = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '#')
    .replace(/\b[0-9a-f]{16,}\b/gi, '#')
    .replace(/\d+/g, '#')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase()

const clip = (text: string, max = maxText): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text)
