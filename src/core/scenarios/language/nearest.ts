import { distance } from 'fastest-levenshtein'

/** The candidates that `word` was probably meant to be, the nearest only, at most three. Case does not count. */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  // A word this long is no slip of the pen, and the distance costs its square.
  if (word.length === 0 || word.length > 64) return []
  const lower = word.toLowerCase()
  const allowed = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  const found: { candidate: string; away: number }[] = []
  for (const candidate of new Set(candidates)) {
    if (Math.abs(candidate.length - word.length) > allowed) continue
    const away = distance(lower, candidate.toLowerCase())
    if (away <= allowed) found.push({ candidate, away })
  }
  found.sort((a, b) => a.away - b.away || (a.candidate < b.candidate ? -1 : 1))
  const best = found[0]?.away
  return found
    .filter(({ away }) => away === best)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}
