import { form } from '../form.ts'

/** Addresses, tabs, frames and dialogs: where the person is. */
export const pages = [
  form('Navigate to <path>', ({ path }) => ({ verb: 'navigate', to: path })),
  form('Navigate back', () => ({ verb: 'back' })),
  form('Navigate forward', () => ({ verb: 'forward' })),
  form('Reload', () => ({ verb: 'reload' })),
  form('Accept dialog [with <value>]', ({ value }) =>
    value === undefined ? { verb: 'dialog', accept: true } : { verb: 'dialog', accept: true, value },
  ),
  form('Dismiss dialog', () => ({ verb: 'dialog', accept: false })),
  form('Switch to new tab', () => ({ verb: 'switch_tab' })),
  form('Switch to tab <text>', ({ text }) => ({ verb: 'switch_tab', title: text })),
  form('Switch to frame <target>', ({ target }) => ({ verb: 'switch_frame', target })),
  form('Switch to main page', () => ({ verb: 'switch_main' })),
  form('Close tab', () => ({ verb: 'close_tab' })),
]
