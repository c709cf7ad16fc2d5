/** What a page did, as a line of the trace: the run gives it its `seq`. `ts` is milliseconds since 1970. */
export type EvidenceEvent = { step_id: string | null } & (
  | { kind: 'navigation'; page: string; url: string }
  | ({ kind: 'network.request' } & RequestFacts)
  | ({
      kind: 'network.response'
      status?: number
      failure?: string
      duration_ms?: number
      bytes?: number
      content_type?: string
      body?: string
      unfinished?: true
    } & RequestFacts)
  | {
      kind: 'console.log' | 'console.warn' | 'console.error'
      page?: string
      text: string
      url?: string
      line?: number
      unhandled?: true
      stack?: string
    }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; message: string; page?: string; dialog?: string }
)

/** `request_id` joins a request with its response; `redirected_from` with the request before it. */
export interface RequestFacts {
  request_id: string
  method: string
  url: string
  resource_type: string
  page?: string
  request_content_type?: string
  redirected_from?: string
}

/** An event before it is stamped with time and step. */
export type Bare = EvidenceEvent extends infer Event
  ? Event extends EvidenceEvent
    ? Omit<Event, 'step_id'>
    : never
  : never
