import { nearest } from './nearest.ts'
import type { Finding } from './problem.ts'
import { type Scan, takeLetters } from './scanner.ts'
import { foldSpace, isSpace } from './text.ts'
import { attempts, forms, formsByVerb, synonyms } from './verbs/index.ts'

const mostSuggestions = 4

/** Why no form fits a step: from the furthest that any form got. */
export function explain(scan: Scan, verbKnown: boolean): Finding {
  if (!verbKnown) return unknownVerb(scan)
  const { at, words, forms: tried, refusal } = scan.furthest
  const near = nearest(wordAt(scan, at), words)
  // An unknown role may be a misspelt word of the language: then that word is the better hint.
  if (refusal && !(refusal.code === 'MOLAR_S010' && near.length > 0)) return refusal
  const suggestions = near.length > 0 ? near : [...tried].slice(0, mostSuggestions)
  if (at >= scan.end) {
    const message = `Something is missing after ${show(scan.source.slice(scan.start, scan.end))}.`
    return { code: 'MOLAR_S001', message, start: scan.start, end: scan.end, suggestions }
  }
  const message = `${show(scan.source.slice(at, scan.end))} is not understood here.`
  return { code: 'MOLAR_S001', message, start: at, end: scan.end, suggestions }
}

function unknownVerb(scan: Scan): Finding {
  scan.at = scan.start
  const verb = takeLetters(scan, '_-')
  const code = 'MOLAR_S001'
  if (verb === '')
    return { code, message: 'A step begins with a verb.', start: scan.start, end: scan.end, suggestions: [] }
  const message = `"${verb.slice(0, 64)}" is not a verb of the language.`
  return { code, message, start: scan.at - verb.length, end: scan.at, suggestions: likelyForms(verb) }
}

/** Forms that an unknown verb may have meant. */
function likelyForms(verb: string): string[] {
  const lower = verb.toLowerCase()
  if (Object.hasOwn(attempts, lower)) return [attempts[lower] as string]
  const verbs = [...formsByVerb.keys(), ...synonyms.map(({ said }) => said.toLowerCase())]
  const near = nearest(lower, verbs)[0]
  if (!near) return []
  const synonym = synonyms.find(({ said }) => said.toLowerCase() === near)
  if (synonym) return [synonym.said]
  return forms
    .filter((form) => form.verb === near)
    .slice(0, mostSuggestions)
    .map(({ shown }) => shown)
}

function wordAt(scan: Scan, at: number): string {
  let end = at
  while (end < scan.end && end - at <= 64 && !isSpace(scan.source[end])) end++
  return scan.source.slice(at, end)
}

function show(text: string): string {
  const folded = foldSpace(text.slice(0, 400))
  return `«${folded.length > 80 ? `${folded.slice(0, 80)}…` : folded}»`
}
