import type { Download, Locator, Page } from 'playwright-core'

/** A file beside the scenario or an uploaded asset. */
export type UploadFile = string | { name: string; mimeType: string; buffer: Buffer }

/** What the session tells its host as it happens. Texts are already free of secrets. */
export type RuntimeEvent =
  | { kind: 'assertion'; step_id: string; text: string; passed: boolean; expected?: string; actual?: string }
  | { kind: 'dialog'; type: string; message: string; accepted: boolean; awaited: boolean }
  | { kind: 'tab'; what: 'opened' | 'closed' | 'current'; url: string }
  | { kind: 'download'; as: string; file_name: string; download: Download }
  | { kind: 'request'; method: string; url: string; status: number; duration_ms: number }
  | { kind: 'remembered'; name: string }
  | { kind: 'secret_filled'; locator: Locator; secrets: string[] }
  | { kind: 'screenshot'; step_id: string; label?: string; png: Buffer }
  | { kind: 'snapshot'; step_id: string; label?: string; aria: string }
  | { kind: 'log'; message: string }
  | { kind: 'debug'; step_id: string }

export interface CloneQuestion {
  kind: string
  state?: string
  noun: string
  for?: string
}

/** What a session needs from its host. A hook that is absent makes the steps that need it fail and say so. */
export interface RuntimeEnvironment {
  baseUrl: string
  variables: Record<string, string>
  env: Record<string, string>
  secrets: Record<string, string>
  run: { id: string; user: { id: string; email: string } }
  /** The row of the scenario's table that this run is for. */
  data: Record<string, string>
  stepTimeoutMs: number
  files: (name: string) => Promise<UploadFile>
  /** Awaited for `secret_filled` alone. */
  onEvent?: (event: RuntimeEvent) => unknown
  /** What screenshots hide, beside password fields and what a secret was filled into. */
  mask?: (page: Page) => Locator[]
  /** Says no by throwing; asked for every Navigate and Request step and every redirect of one. */
  allowRequest?: (url: string) => void | Promise<void>
  /** Resolves when the event has come; throws when it has not in time. */
  waitForWebhook?: (event: { kind: string; event: string; timeoutMs: number }) => Promise<void>
  /** How many there are in a clone now. */
  countInClone?: (question: CloneQuestion) => Promise<number>
  /** Moves the clock of the run's clones along with the page's. */
  moveCloneClock?: (change: { toMs: number } | { byMs: number }) => Promise<void>
}
