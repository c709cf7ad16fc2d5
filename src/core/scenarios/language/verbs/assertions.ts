import type { Action, Assertion, Value } from '../../plan.ts'
import { form } from '../form.ts'

const counted = { counted: true } as const

/** What must be true. A negated assertion holds when the plain one does not. */
export const assertions = [
  form('Assert no console errors', () => assert(false, { subject: 'no_console_errors' })),
  form('Assert no failed requests', () => assert(false, { subject: 'no_failed_requests' })),
  form('Assert text <text> <not:is> <state:visible|hidden>', ({ text, not, state }) =>
    assert(not, { subject: 'text', value: text, state }),
  ),
  form('Assert url <not:is> <pattern>', ({ not, pattern }) =>
    assert(not, { subject: 'url', match: 'is', value: pattern }),
  ),
  form('Assert url <not:matches> <pattern>', ({ not, pattern }) =>
    assert(not, { subject: 'url', match: 'matches', value: pattern }),
  ),
  form('Assert url <not:contains> <url>', ({ not, url }) =>
    assert(not, { subject: 'url', match: 'contains', value: url }),
  ),
  form('Assert title <not:is> <value>', ({ not, value }) => assert(not, { subject: 'title', match: 'is', value })),
  form('Assert title <not:contains> <value>', ({ not, value }) =>
    assert(not, { subject: 'title', match: 'contains', value }),
  ),
  form('Assert page status <not:is> <status>', ({ not, status }) => assert(not, { subject: 'page_status', status })),
  form('Assert response status <not:is> <status>', ({ not, status }) =>
    assert(not, { subject: 'response_status', status }),
  ),
  form('Assert response <path:jsonpath> <not:is> <value>', ({ path, not, value }) =>
    assert(not, { subject: 'response_path', path, match: 'is', value }),
  ),
  form('Assert response <path:jsonpath> <not:contains> <value>', ({ path, not, value }) =>
    assert(not, { subject: 'response_path', path, match: 'contains', value }),
  ),
  form('Assert download <name> <not:is> <value>', ({ name, not, value }) =>
    assert(not, { subject: 'download', download: name, match: 'is', value }),
  ),
  form('Assert download <name> <not:contains> <value>', ({ name, not, value }) =>
    assert(not, { subject: 'download', download: name, match: 'contains', value }),
  ),
  form('Assert <left:reference> <not:is> <right:value>', ({ left, not, right }) =>
    assert(not, { subject: 'value', left, match: 'is', right }),
  ),
  form('Assert <left:reference> <not:contains> <right:value>', ({ left, not, right }) =>
    assert(not, { subject: 'value', left, match: 'contains', right }),
  ),
  form('Assert <kind:words> Clone outbox <not:contains> <count:integer> <what> [to <value>]', (found) =>
    assert(found.not, clone(found.kind, { state: 'outbox', ...found.what }, found.count, found.value)),
  ),
  form('Assert <kind:words> Clone <not:has> <count:integer> <what> [for <value>]', (found) =>
    assert(found.not, clone(found.kind, found.what, found.count, found.value)),
  ),
  form('Assert no <target>', ({ target }) => assert(false, count(target, 'exactly', 0)), counted),
  form('Assert at least <n:integer> <target>', ({ target, n }) => assert(false, count(target, 'at_least', n)), counted),
  form('Assert at most <n:integer> <target>', ({ target, n }) => assert(false, count(target, 'at_most', n)), counted),
  form('Assert exactly <n:integer> <target>', ({ target, n }) => assert(false, count(target, 'exactly', n)), counted),
  form('Assert <n:integer> <target>', ({ target, n }) => assert(false, count(target, 'exactly', n)), counted),
  form(
    'Assert <target> <not:is> <state:visible|hidden|enabled|disabled|checked|unchecked|focused|empty>',
    ({ target, not, state }) => assert(not, { subject: 'state', target, state }),
  ),
  form('Assert <target> <not:has> <what:text|value> <value>', ({ target, not, what, value }) =>
    assert(not, { subject: 'content', target, what, match: 'is', value }),
  ),
  form('Assert <target> <not:has> attribute <name:plain> <value>', ({ target, not, name, value }) =>
    assert(not, { subject: 'attribute', target, attribute: name, value }),
  ),
  form('Assert <target> <not:has> class <value>', ({ target, not, value }) =>
    assert(not, { subject: 'class', target, value }),
  ),
  form('Assert <target> <not:contains> <value>', ({ target, not, value }) =>
    assert(not, { subject: 'content', target, what: 'text', match: 'contains', value }),
  ),
  form(
    'Assert <target> <not:matches> aria',
    ({ target, not }, { body }) =>
      assert(not, { subject: 'aria', target, snapshot: typeof body?.value === 'string' ? body.value : '' }),
    {
      body: 'needed',
      check: (_, { body }) => (body && typeof body.value !== 'string' ? 'An aria snapshot holds no ${…}.' : undefined),
    },
  ),
]

function assert(negated: boolean, assertion: Assertion): Action {
  return { verb: 'assert', negated, ...assertion }
}

type Count = Extract<Assertion, { subject: 'count' }>

function count(target: Count['target'], compare: Count['compare'], expected: number): Count {
  return { subject: 'count', target, compare, count: expected }
}

function clone(
  kind: string,
  what: { state?: string; noun: string },
  expected: number,
  filter: Value | undefined,
): Assertion {
  return { subject: 'clone', kind, ...what, count: expected, ...(filter !== undefined && { for: filter }) }
}
