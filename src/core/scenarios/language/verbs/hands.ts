import { form } from '../form.ts'

/** What a person does with mouse and keyboard. */
export const hands = [
  form('Click <target>', ({ target }) => ({ verb: 'click', target, button: 'left', count: 1 })),
  form('Double click <target>', ({ target }) => ({ verb: 'click', target, button: 'left', count: 2 })),
  form('Right click <target>', ({ target }) => ({ verb: 'click', target, button: 'right', count: 1 })),
  form('Fill <target> with <value>', ({ target, value }) => ({ verb: 'fill', target, value })),
  form('Type <value> [into <target>]', ({ target, value }) =>
    target ? { verb: 'type', target, value } : { verb: 'type', value },
  ),
  form('Clear <target>', ({ target }) => ({ verb: 'clear', target })),
  form('Select <values> in <target>', ({ target, values }) => ({ verb: 'select', target, values })),
  form('Check <target>', ({ target }) => ({ verb: 'check', target })),
  form('Uncheck <target>', ({ target }) => ({ verb: 'uncheck', target })),
  form('Press <key> [in <target>]', ({ key, target }) =>
    target ? { verb: 'press', key, target } : { verb: 'press', key },
  ),
  form('Hover <target>', ({ target }) => ({ verb: 'hover', target })),
  form('Focus <target>', ({ target }) => ({ verb: 'focus', target })),
  form('Scroll to <target>', ({ target }) => ({ verb: 'scroll', target })),
  form('Drag <target> to <to:target>', ({ target, to }) => ({ verb: 'drag', target, to })),
  form('Upload <file> to <target>', ({ file, target }) => ({ verb: 'upload', target, file })),
  form('Download by clicking <target> as <name>', ({ target, name }) => ({ verb: 'download', target, as: name })),
]
