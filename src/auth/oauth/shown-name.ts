/** The app's name as a person may see it: without what moves text about, and short. */
export function shownName(name: unknown, id: string): string {
  const text = typeof name === 'string' ? name.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim() : ''
  return (text || id).slice(0, 80)
}
