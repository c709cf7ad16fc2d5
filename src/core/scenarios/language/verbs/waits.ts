import { form } from '../form.ts'

/** Waiting for something to hold; every wait polls until the step's timeout. */
export const waits = [
  form('Wait <duration>', ({ duration }) => ({ verb: 'wait_time', ms: duration }), {
    check: ({ duration }) =>
      duration > 3_600_000 ? 'A wait lasts one hour at most; "Advance clock" moves the page\'s time.' : undefined,
  }),
  form('Wait for text <text> [to be <state:visible|hidden>]', ({ text, state = 'visible' }) => ({
    verb: 'wait_text',
    value: text,
    state,
  })),
  form('Wait for url <pattern>', ({ pattern }) => ({ verb: 'wait_url', match: 'matches', pattern })),
  form('Wait for url <match:is|matches|contains> <url>', ({ match, url }) => ({
    verb: 'wait_url',
    match,
    pattern: url,
  })),
  form(
    'Wait for response <request>',
    ({ request }, { options: { status } }) =>
      status === undefined ? { verb: 'wait_response', ...request } : { verb: 'wait_response', status, ...request },
    { options: { status: 'status' } },
  ),
  form('Wait for request <request>', ({ request }) => ({ verb: 'wait_request', ...request })),
  form('Wait for webhook <event>', ({ event }) => ({ verb: 'wait_webhook', ...event })),
  form(
    'Wait for <count:integer> <target>',
    ({ count, target }) => ({ verb: 'wait_target', target, state: 'visible', count }),
    { counted: true },
  ),
  form(
    'Wait for <target> [to be <state:visible|hidden|enabled|disabled|checked|unchecked|focused|empty>]',
    ({ target, state = 'visible' }) => ({ verb: 'wait_target', target, state }),
  ),
]
