import { nearest } from './nearest.ts'

const modifiers = ['Control', 'Shift', 'Alt', 'Meta', 'ControlOrMeta']
const named = [
  ...modifiers.slice(0, 4),
  ...'Enter Tab Escape Space Backspace Delete Insert Home End PageUp PageDown'.split(' '),
  ...'ArrowUp ArrowDown ArrowLeft ArrowRight ContextMenu CapsLock'.split(' '),
  ...Array.from({ length: 12 }, (_, index) => `F${index + 1}`),
]
const synonyms: Readonly<Record<string, string>> = {
  ctrl: 'Control',
  cmd: 'Meta',
  command: 'Meta',
  option: 'Alt',
  esc: 'Escape',
  del: 'Delete',
  return: 'Enter',
  spacebar: 'Space',
  up: 'ArrowUp',
  down: 'ArrowDown',
  left: 'ArrowLeft',
  right: 'ArrowRight',
}
const byLowerCase = new Map([...named, ...modifiers].map((key) => [key.toLowerCase(), key]))

/** `control+a` as Playwright spells it, `Control+a`; else what was wrong and what it may have meant. */
export function pressedKey(text: string): { key: string } | { wrong: string; suggestions: string[] } {
  // "Control++" presses the plus itself.
  const parts = text === '+' ? ['+'] : text.endsWith('++') ? [...text.slice(0, -2).split('+'), '+'] : text.split('+')
  const keys: string[] = []
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1
    const known = keyName(part)
    const fits = known !== undefined && (last || modifiers.includes(known))
    if (!fits) return { wrong: part, suggestions: nearest(part, last ? named : modifiers) }
    keys.push(known)
  }
  return { key: keys.join('+') }
}

function keyName(part: string): string | undefined {
  if ([...part].length === 1) return part
  const lower = part.toLowerCase()
  return byLowerCase.get(lower) ?? (Object.hasOwn(synonyms, lower) ? synonyms[lower] : undefined)
}
