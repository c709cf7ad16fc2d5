/**
 * The step plan: what the compiler makes of a scenario, what the worker interprets and what the emitted spec runs.
 * JSON through and through, deterministic: same canonical content and compiler version, same bytes.
 */

/** Text with references, resolved just before the step: a plain string, or parts where `{ref: 'secrets.PASSWORD'}` stands for `${secrets.PASSWORD}`. */
export type Value = string | ReadonlyArray<string | { readonly ref: string }>

/** How an element is named. `within` narrows: `"Delete" in row "Ada"` is {by:'name', name:'Delete', within:{by:'role', role:'row', name:'Ada'}}. */
export type Target = (
  | { by: 'name'; name: Value }
  | { by: 'role'; role: string; name?: Value }
  | { by: 'testid'; testid: Value }
  | { by: 'css'; css: Value }
) & { within?: Target; exact?: boolean; nth?: number; first?: boolean; last?: boolean }

export type Match = 'is' | 'matches' | 'contains'
export type ElementState = 'visible' | 'hidden' | 'enabled' | 'disabled' | 'checked' | 'unchecked' | 'focused' | 'empty'
/** Method '*' is any. `pattern` is a path, or a glob over path and query (`*` in a segment, `**` across), or an absolute URL. */
export type RequestPattern = { method: string; pattern: Value }

export type Action =
  | { verb: 'navigate'; to: Value }
  | { verb: 'back' | 'forward' | 'reload' }
  | { verb: 'click'; target: Target; button: 'left' | 'right'; count: 1 | 2 }
  | { verb: 'fill'; target: Target; value: Value }
  | { verb: 'type'; target?: Target; value: Value }
  | { verb: 'clear' | 'check' | 'uncheck' | 'hover' | 'focus' | 'scroll'; target: Target }
  | { verb: 'select'; target: Target; values: Value[] }
  | { verb: 'press'; key: string; target?: Target }
  | { verb: 'drag'; target: Target; to: Target }
  | { verb: 'upload'; target: Target; file: Value }
  | { verb: 'dialog'; accept: boolean; value?: Value }
  | { verb: 'switch_tab'; title?: Value } // no title: the new tab that the action before it opened
  | { verb: 'close_tab' }
  | { verb: 'switch_frame'; target: Target }
  | { verb: 'switch_main' }
  | { verb: 'download'; target: Target; as: string }
  | { verb: 'wait_time'; ms: number }
  | { verb: 'wait_target'; target: Target; state: ElementState; count?: number }
  | { verb: 'wait_text'; value: Value; state: 'visible' | 'hidden' } // not `text`: that is the step's own line
  | { verb: 'wait_url'; match: Match; pattern: Value }
  | ({ verb: 'wait_response'; status?: number } & RequestPattern)
  | ({ verb: 'wait_request' } & RequestPattern)
  | { verb: 'wait_webhook'; kind: string; event: string }
  | ({ verb: 'assert'; negated: boolean } & Assertion)
  | {
      verb: 'remember'
      as: string
      from: { what: 'text' | 'value'; target: Target } | { what: 'response'; path: string }
    }
  | {
      verb: 'request'
      method: string
      url: Value
      body?: Value
      content_type?: string
      headers?: Record<string, string>
      expects?: number
    }
  | { verb: 'snapshot'; label?: string }
  | { verb: 'screenshot'; label?: string; full_page?: boolean; of?: Target }
  | ({ verb: 'inject_error'; status: number; times?: number } & RequestPattern)
  | ({ verb: 'respond'; status: number; body: Value; content_type: string; times?: number } & RequestPattern)
  | ({ verb: 'inject_latency'; ms: number; times?: number } & RequestPattern)
  | { verb: 'offline' | 'online' }
  | { verb: 'set_clock'; at: string } // ISO 8601 instant
  | { verb: 'advance_clock'; ms: number }
  | { verb: 'set_cookie' | 'set_header' | 'set_local_storage'; key: string; value: Value }
  | { verb: 'set_geolocation'; latitude: number; longitude: number }
  | { verb: 'set_color_scheme'; scheme: 'light' | 'dark' }
  | { verb: 'allow'; permission: string }
  | { verb: 'debug' }

/** What an assertion looks at. A negated one holds when the plain one does not. Counts: `exactly`, `at_least`, `at_most`. */
export type Assertion =
  | { subject: 'text'; value: Value; state: 'visible' | 'hidden' } // not `text`: that is the step's own line
  | { subject: 'state'; target: Target; state: ElementState }
  | { subject: 'content'; target: Target; what: 'text' | 'value'; match: 'is' | 'contains'; value: Value }
  | { subject: 'attribute'; target: Target; attribute: string; value: Value }
  | { subject: 'class'; target: Target; value: Value }
  | { subject: 'count'; target: Target; compare: 'exactly' | 'at_least' | 'at_most'; count: number } // "no <target>" is exactly 0
  | { subject: 'aria'; target: Target; snapshot: string }
  | { subject: 'url' | 'title'; match: Match; value: Value }
  | { subject: 'page_status' | 'response_status'; status: number }
  | { subject: 'response_path'; path: string; match: 'is' | 'contains'; value: Value }
  | { subject: 'download'; download: string; match: 'is' | 'contains'; value: Value }
  | { subject: 'no_console_errors' | 'no_failed_requests' }
  | { subject: 'value'; left: Value; match: 'is' | 'contains'; right: Value }
  | { subject: 'clone'; kind: string; state?: string; noun: string; count: number; for?: Value }

export interface Position {
  line: number
  column: number
} // both from 1
export interface Range {
  start: Position
  end: Position
}

export type Section = 'setup' | 'steps' | 'teardown'

export type PlanStep = Action & {
  /** Stable under edits of other steps: derived from the section, the step's text and its occurrence. */
  step_id: string
  /** From 1, through Setup, Steps and Teardown. */
  number: number
  section: Section
  /** The source line as written, its options too, never resolved: shows `${secrets.X}`, not the secret. */
  text: string
  range: Range
  options: { timeout_ms?: number; optional?: boolean; name?: string }
  /** Look-ahead: what must be armed before this step, because the next steps meet what this one causes. */
  arm?: { dialog?: { accept: boolean; value?: Value }; tab?: boolean }
}

export interface PlanSettings {
  base_url?: string
  timeout_ms: number
  step_timeout_ms: number
  retries: number
  viewport: { width: number; height: number; mobile: boolean }
  locale?: string
  timezone?: string
  color_scheme?: 'light' | 'dark'
  assertions: { no_console_errors?: boolean; no_unhandled_rejections?: boolean; no_failed_requests?: boolean }
  /** True when any step sets or advances the clock: it is then installed before the first navigation. */
  uses_clock: boolean
}

export interface StepPlan {
  /** The compiler's version; part of the hash. */
  compiler: string
  /** SHA-256, hex, of compiler version and canonical content. */
  hash: string
  scenario: { id: string; slug: string; title: string; description: string; tags: string[]; priority: string }
  settings: PlanSettings
  variables: Record<string, string>
  /** Declared secret names; their values never enter a plan. */
  secrets: string[]
  /** Environment names that `${env.X}` reads. */
  env: string[]
  clones: { kind: string; seed?: string; persistence?: string }[]
  /** Slugs whose Setup and Steps run first. */
  uses: string[]
  /** One run a row; empty where there is no table. */
  data: Record<string, string>[]
  steps: PlanStep[]
}

/** Steps that only look or wait: what is met after them was caused before them. */
export const causesNothing: ReadonlySet<PlanStep['verb']> = new Set([
  'assert',
  'wait_time',
  'wait_target',
  'wait_text',
  'wait_url',
  'wait_response',
  'wait_request',
  'wait_webhook',
  'remember',
  'snapshot',
  'screenshot',
  'debug',
])
