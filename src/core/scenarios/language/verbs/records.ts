import { form } from '../form.ts'

/** What is kept: for later steps, or for the people who read the trace. */
export const records = [
  form('Remember <what:text|value> of <target> as <name>', ({ what, target, name }) => ({
    verb: 'remember',
    as: name,
    from: { what, target },
  })),
  form('Remember response <path:jsonpath> as <name>', ({ path, name }) => ({
    verb: 'remember',
    as: name,
    from: { what: 'response', path },
  })),
  form(
    'Snapshot',
    (_, { options: { name } }) => (name === undefined ? { verb: 'snapshot' } : { verb: 'snapshot', label: name }),
    {
      options: { name: 'text' },
    },
  ),
  form(
    'Screenshot',
    (_, { options: { name, full_page, of } }) => ({
      verb: 'screenshot',
      ...(name !== undefined && { label: name }),
      ...(full_page && { full_page }),
      ...(of && { of }),
    }),
    { options: { name: 'text', full_page: 'flag', of: 'target' } },
  ),
  form('Debug', () => ({ verb: 'debug' })),
]
