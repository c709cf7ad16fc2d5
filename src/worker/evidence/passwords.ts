const typing = new Set(['fill', 'type', 'press', 'keyboardType', 'keyboardInsertText'])
const passwordField = /resolved to .*<input[^>]*\stype=\\?["']?password/i

/** What a trace calls a password field's content. */
export const snapshotValue = '__playwright_value_'

type Fields = Record<string, unknown>

/** What was typed into password fields, as the trace itself shows it: by its calls, and by its DOM snapshots. */
export function passwordsIn(events: readonly unknown[]): string[] {
  const found = new Set<string>()
  const typed = new Map<unknown, string>()
  for (const event of events) {
    if (!isFields(event)) continue
    const text = typedText(event)
    if (text) typed.set(event.callId, text)
    if (isPasswordCall(event) && typed.has(event.callId)) found.add(typed.get(event.callId)!)
    if (event.type === 'frame-snapshot' && isFields(event.snapshot)) fromSnapshot(event.snapshot.html, found)
  }
  found.delete('')
  return [...found]
}

/** True for the log line by which a call tells that it found a password field. */
function isPasswordCall(event: Fields): boolean {
  return event.type === 'log' && typeof event.message === 'string' && passwordField.test(event.message)
}

/** The text of a call that types: `fill`'s value, `type`'s text, the single key of `press`. */
function typedText(event: Fields): string | undefined {
  if (
    event.type !== 'before' ||
    typeof event.method !== 'string' ||
    !typing.has(event.method) ||
    !isFields(event.params)
  )
    return undefined
  const text = event.params.value ?? event.params.text
  return typeof text === 'string' ? text : undefined
}

function fromSnapshot(node: unknown, found: Set<string>): void {
  if (!Array.isArray(node)) return
  const [tag, attributes, ...children] = node as unknown[]
  if (typeof tag !== 'string') return
  if (isPasswordInput(tag, attributes)) {
    for (const name of [snapshotValue, 'value']) if (typeof attributes[name] === 'string') found.add(attributes[name])
  }
  for (const child of isFields(attributes) ? children : [attributes, ...children]) fromSnapshot(child, found)
}

/** A snapshot's node is `[tag, attributes, …children]`. */
export function isPasswordInput(tag: string, attributes: unknown): attributes is Fields {
  return tag.toUpperCase() === 'INPUT' && isFields(attributes) && String(attributes.type).toLowerCase() === 'password'
}

export function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
