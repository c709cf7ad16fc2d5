import { newId } from '../core/ids.ts'
import { type Content, type Html, html } from './html.ts'

export interface Form {
  /** Where it is sent; by POST unless told. */
  action: string
  method?: 'post' | 'get'
  /** Fields and what stands between them. */
  fields: Content
  /** The button's words. */
  submit: string
  danger?: boolean
  /** Values that the person does not see. */
  hidden?: Record<string, string | undefined>
  /** Buttons or links beside the first one. */
  more?: Content
  /** Tells forms of one page apart for tests and scripts. */
  id?: string
}

/** A form. Its hidden `idempotency_key` makes that sending it twice does it once, where a command stands behind it. */
export function form({ action, method = 'post', fields, submit, danger, hidden = {}, more, id }: Form): Html {
  const kept = { ...hidden, ...(method === 'post' && { idempotency_key: newId() }) }
  return html`<form method="${method}" action="${action}"${id && html` id="${id}"`}>
${Object.entries(kept).map(
  ([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">`,
)}${fields}
<div class="buttons"><button${danger && html` class="danger"`}>${submit}</button>${more}</div>
</form>`
}

export interface Field {
  name: string
  /** Where a page has two fields of one name. */
  id?: string
  label: Content
  type?: 'text' | 'email' | 'password' | 'url' | 'date' | 'number'
  value?: string | undefined
  /** The HTML autofill token, such as `email` or `current-password`. */
  autocomplete?: string
  hint?: Content
  /** What is wrong with what was sent. */
  error?: string | undefined
  optional?: boolean
  maxlength?: number
  minlength?: number
  /** `numeric` shows digits on a phone. */
  inputmode?: 'numeric' | 'text'
  pattern?: string
  /** Gets the focus when the page opens: one field a page. */
  first?: boolean
}

/** A labelled input; hint and error are announced with it. */
export function field(one: Field): Html {
  const { name, id = name, label, type = 'text', value, autocomplete, hint, error, optional, first } = one
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const attributes: Record<string, string | number | boolean | undefined> = {
    id,
    name,
    type,
    value,
    autocomplete,
    'aria-describedby': told || undefined,
    'aria-invalid': error ? 'true' : undefined,
    required: !optional,
    maxlength: one.maxlength,
    minlength: one.minlength,
    inputmode: one.inputmode,
    pattern: one.pattern,
    autofocus: first,
  }
  return html`<div class="field"><label for="${id}">${label}${optional && html` <span class="hint">(optional)</span>`}</label>
${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}${error && html`<p class="error" id="${id}-error">${error}</p>`}
<input${attributesOf(attributes)}></div>`
}

/** ` name="value"` for each that has one; true alone is the bare name. */
const attributesOf = (all: Record<string, string | number | boolean | undefined>): Content =>
  Object.entries(all).map(([name, value]) => {
    if (value === undefined || value === false) return undefined
    return value === true ? html` ${name}` : html` ${name}="${value}"`
  })

export interface Choice {
  value: string
  label: Content
  hint?: Content
}

/** One of few, each with its words. */
export const choices = (name: string, label: Content, all: readonly Choice[], chosen?: string): Html => html`<fieldset>
<legend>${label}</legend>
${all.map(
  ({ value, label: words, hint }) =>
    html`<label class="choice"><input type="radio" name="${name}" value="${value}" required${
      value === chosen && html` checked`
    }><span>${words}${hint && html`<span class="hint">${hint}</span>`}</span></label>`,
)}</fieldset>`

/** Any of few. */
export const checkboxes = (
  name: string,
  label: Content,
  all: readonly Choice[],
  chosen: readonly string[] = [],
): Html => html`<fieldset>
<legend>${label}</legend>
${all.map(
  ({ value, label: words, hint }) =>
    html`<label class="choice"><input type="checkbox" name="${name}" value="${value}"${
      chosen.includes(value) && html` checked`
    }><span>${words}${hint && html`<span class="hint">${hint}</span>`}</span></label>`,
)}</fieldset>`

/** One of many. */
export const select = (
  name: string,
  label: string,
  all: readonly Choice[],
  chosen?: string,
  id = name,
): Html => html`<div class="field">
<label for="${id}">${label}</label>
<select id="${id}" name="${name}">${all.map(
  ({ value, label: words }) => html`<option value="${value}"${value === chosen && html` selected`}>${words}</option>`,
)}</select></div>`

/** A button that does one thing: a form without fields. `label` says to a screen reader what it is about. */
export const action = (
  to: string,
  words: string,
  options: { hidden?: Record<string, string>; danger?: boolean; label?: string } = {},
): Html => html`<form class="inline" method="post" action="${to}">
${Object.entries({ ...options.hidden, idempotency_key: newId() }).map(
  ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
)}<button class="${options.danger ? 'danger' : 'quiet'}"${options.label && html` aria-label="${options.label}"`}>${words}</button></form>`

/** What went wrong with the last try; read out at once. */
export const problem = (text: Content): Content => text && html`<p class="problem" role="alert">${text}</p>`
/** What was done. */
export const done = (text: Content): Content => text && html`<p class="done" role="status">${text}</p>`
/** What to know before one goes on. */
export const warning = (text: Content): Content => text && html`<p class="warning">${text}</p>`

/** A table with a caption; the first cell of a row names it. A list of none says so. */
export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly Content[])[],
  none = 'None.',
): Html {
  if (rows.length === 0) return html`<h2>${caption}</h2><p>${none}</p>`
  return html`<h2>${caption}</h2><div class="wide" role="region" aria-label="${caption}" tabindex="0"><table>
<thead><tr>${heads.map((head) => (head === '' ? html`<td></td>` : html`<th scope="col">${head}</th>`))}</tr></thead>
<tbody>${rows.map(
    ([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody>
</table></div>`
}

/** An instant, in UTC, to the minute. */
export function when(at: Date | string | null, never = 'never'): Content {
  if (at === null) return never
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}
