import { distance } from 'fastest-levenshtein'

/** The known word that was probably meant; undefined when none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const [best] = known
    .map((name) => ({ name, far: name.startsWith(word) && word.length > 1 ? 0.5 : distance(word.toLowerCase(), name) }))
    .sort((a, b) => a.far - b.far)
  return best && best.far <= Math.max(2, word.length / 3) ? best.name : undefined
}
