import type { Form } from '../form.ts'
import { assertions } from './assertions.ts'
import { hands } from './hands.ts'
import { network } from './network.ts'
import { pages } from './pages.ts'
import { records } from './records.ts'
import { waits } from './waits.ts'
import { world } from './world.ts'

/** The whole language: every sentence that compiles. A new one is one entry in one of these lists. */
export const forms: readonly Form[] = [...pages, ...hands, ...waits, ...assertions, ...records, ...network, ...world]

/** Forms by their first word, in lower case. */
export const formsByVerb: ReadonlyMap<string, Form[]> = Map.groupBy(forms, ({ verb }) => verb)

/** Other words for the beginning of a form. */
export const synonyms: readonly { said: string; meant: string }[] = [
  { said: 'Expect', meant: 'Assert' },
  { said: 'Go', meant: 'Navigate' },
  { said: 'Open', meant: 'Navigate to' },
  { said: 'Visit', meant: 'Navigate to' },
]

/** What people try, and the form that says it: only ever suggested. */
export const attempts: Readonly<Record<string, string>> = {
  tap: 'Click <target>',
  submit: 'Click button "…"',
  enter: 'Fill <target> with <value>',
  input: 'Fill <target> with <value>',
  write: 'Type <value> into <target>',
  choose: 'Select <value> in <target>',
  pick: 'Select <value> in <target>',
  hit: 'Press Enter',
  verify: 'Assert text "…" is visible',
  ensure: 'Assert text "…" is visible',
  confirm: 'Assert text "…" is visible',
  see: 'Assert text "…" is visible',
  should: 'Assert text "…" is visible',
  sleep: 'Wait 2s',
  pause: 'Wait 2s',
  refresh: 'Reload',
  back: 'Navigate back',
  store: 'Remember text of <target> as name',
  save: 'Remember text of <target> as name',
  mock: 'Respond to GET /path with 200',
  stub: 'Respond to GET /path with 200',
  fetch: 'Request GET /path',
  call: 'Request GET /path',
  // The free-English intents of Setup sections: what to write instead.
  provision: 'uses: [login] in the front matter, or the steps of signing in',
  seed: 'clones: [{kind: stripe, seed: smoke}] in the front matter',
  drain: 'no step at all, as every run starts with an empty outbox',
  reset: 'Request POST /api/reset expects 204',
}
