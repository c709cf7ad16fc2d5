import type { Bug } from './bugs.ts'
import type { Html } from './html.ts'
import type { Session, Sessions } from './sessions.ts'

/** One request, read and ready to be answered. */
export interface Visit {
  method: string
  url: URL
  /** Values of the `:names` in the route's path. */
  params: Record<string, string>
  cookies: Record<string, string>
  headers: Record<string, string | string[] | undefined>
  /** The JSON object or the form that was sent; empty where there was none. */
  body: Record<string, unknown>
  session: Session
  sessions: Sessions
  bugs: readonly Bug[]
}

export interface Answer {
  status: number
  headers: Record<string, string | string[]>
  body: string | Buffer
}

/** Answers, or gives undefined where nothing is to be sent but 404. */
export type Handler = (visit: Visit) => Answer | Promise<Answer>

/** `'GET /orders/:id'` → handler. */
export type Routes = Readonly<Record<string, Handler>>

export function json(status: number, body?: unknown): Answer {
  if (body === undefined) return { status, headers: {}, body: '' }
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

export function page(content: Html, status = 200): Answer {
  const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
  return { status, headers, body: `<!doctype html>\n${content.html}` }
}

export function redirect(to: string, cookies: string[] = []): Answer {
  return { status: 303, headers: { location: to, 'set-cookie': cookies }, body: '' }
}

export function attachment(name: string, type: string, body: string): Answer {
  return {
    status: 200,
    headers: { 'content-type': type, 'content-disposition': `attachment; filename="${name}"` },
    body,
  }
}
