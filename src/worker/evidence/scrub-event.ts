import { isFields, isPasswordInput, snapshotValue } from './passwords.ts'
import type { Redactor } from './redact.ts'
import { redacted, secretField } from './shapes.ts'

/** Playwright's own vocabulary and ids: a secret that happens to be the word "fill" must not break the trace. */
const vocabulary = new Set([
  'type',
  'callId',
  'parentId',
  'class',
  'method',
  'phase',
  'pageId',
  'frameId',
  'pageref',
  '_frameref',
  'guid',
  'messageType',
])
const plainWord = /^[\w@:.-]{1,80}$/
const names = new Set(['sha1', '_sha1', 'file', '_file'])
/** Of a context's options: sign-in state, and where the run's own proxy is. */
const privateOptions = new Set(['storageState', 'httpCredentials', 'clientCertificates', 'proxy'])
const dots = '••••'

/** One line of a .trace or .network file without secrets; `renamed` maps resources' old names to new ones. */
export function scrubEvent(event: unknown, redact: Redactor, renamed: ReadonlyMap<string, string>): unknown {
  const walk = (value: unknown, key: string, hidden: boolean): unknown => {
    if (typeof value === 'string') return scrubString(value, key, hidden, redact, renamed)
    if (Array.isArray(value)) return value.map((item) => walk(item, '', hidden))
    if (!isFields(value)) return value
    return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => scrubField(value, name, inner, hidden)))
  }
  const scrubField = (
    holder: Record<string, unknown>,
    name: string,
    inner: unknown,
    hidden: boolean,
  ): [string, unknown][] => {
    if (privateOptions.has(name) || name === 'stack') return []
    if (name === 'html' && Array.isArray(inner)) return [[name, scrubNode(inner, redact)]]
    const hides =
      hidden ||
      name === 'cookies' ||
      secretField.test(name) ||
      (name === 'value' && secretField.test(String(holder.name)))
    return [[redact.text(name), walk(inner, name, hides)]]
  }
  return walk(event, '', false)
}

/** Playwright names a resource with its folder or, up to 1.5x, without. */
function renamedFile(name: string, renamed: ReadonlyMap<string, string>): string | undefined {
  const folder = name.startsWith('resources/') ? 'resources/' : ''
  const fresh = renamed.get(name.slice(folder.length))
  return fresh === undefined ? undefined : `${folder}${fresh}`
}

function scrubString(
  value: string,
  key: string,
  hidden: boolean,
  redact: Redactor,
  renamed: ReadonlyMap<string, string>,
): string {
  if (names.has(key)) return renamedFile(value, renamed) ?? redact.secrets(value)
  if (vocabulary.has(key) && plainWord.test(value)) return value
  if (hidden && value !== '') return key === 'name' ? redact.text(value) : redacted
  return redact.text(value)
}

/** A DOM snapshot's node: `[tag, attributes, …children]`, text, or `[[generation, index]]` for one already shown. */
function scrubNode(node: unknown, redact: Redactor): unknown {
  if (typeof node === 'string') return redact.text(node)
  if (!Array.isArray(node)) return node
  const [tag, attributes, ...children] = node as unknown[]
  if (typeof tag !== 'string') return node
  const rest = children.map((child) => scrubNode(child, redact))
  if (attributes === undefined) return [tag]
  if (!isFields(attributes)) return [tag, scrubNode(attributes, redact), ...rest]
  return [tag, scrubAttributes(tag, attributes, redact), ...rest]
}

function scrubAttributes(tag: string, attributes: Record<string, unknown>, redact: Redactor): Record<string, unknown> {
  const password = isPasswordInput(tag, attributes)
  const clean = Object.entries(attributes).map(([name, value]): [string, unknown] => {
    if (typeof value !== 'string') return [name, value]
    if (password && (name === snapshotValue || name === 'value')) return [name, value && dots]
    if (name === 'type' && plainWord.test(value)) return [name, value]
    return [name, redact.text(value)]
  })
  return Object.fromEntries(clean)
}
