import type { Action } from '../plan.ts'
import { nearest } from './nearest.ts'
import type { Report } from './problem.ts'
import type { Reference } from './scanner.ts'

const runNames = ['run.id', 'run.user.id', 'run.user.email']

export interface Declared {
  variables: Readonly<Record<string, string>> | undefined
  secrets: readonly string[] | undefined
  data: readonly Readonly<Record<string, string>>[] | undefined
  uses: readonly string[] | undefined
}

export interface Known {
  /** What the front matter declares; a key that does not hold is undefined: then nothing about its names can be said. */
  declared: Declared
  /** Names of the environment, where they are known. */
  env: readonly string[] | undefined
  /** Used scenarios that the compiler does not see may remember and download anything. */
  open: boolean
  remembered: Set<string>
  downloads: Set<string>
}

/** Reports what a step's references cannot resolve to, and adds what the step itself remembers. Returns the `env` names. */
export function checkReferences(references: readonly Reference[], known: Known, report: Report): string[] {
  const env: string[] = []
  for (const { name, start, end } of references) {
    const dot = name.indexOf('.')
    if (name.startsWith('env.')) env.push(name.slice(4))
    const wrong = unresolved(name, dot === -1 ? name : name.slice(0, dot), name.slice(dot + 1), known)
    if (wrong)
      report({
        code: 'MOLAR_S005',
        message: wrong.message,
        start,
        end,
        suggestions: wrong.near.map((one) => `\${${one}}`),
      })
  }
  return env
}

/** Notes the names that later steps may use, and reports a download that was never made. */
export function noteNames(action: Action, known: Known, range: { start: number; end: number }, report: Report): void {
  if (action.verb === 'remember') known.remembered.add(action.as)
  if (action.verb === 'download') known.downloads.add(action.as)
  if (action.verb !== 'assert' || action.subject !== 'download') return
  if (known.open || known.downloads.has(action.download)) return
  const message = `No step before this one downloads as "${action.download}".`
  report({ code: 'MOLAR_S005', message, ...range, suggestions: nearest(action.download, known.downloads) })
}

type Unresolved = { message: string; near: string[] } | undefined

function unresolved(name: string, first: string, rest: string, known: Known): Unresolved {
  const { variables, secrets, data } = known.declared
  const among = (names: Iterable<string>, message: string, prefix = ''): Unresolved => {
    const all = [...names]
    const plain = name.slice(prefix.length)
    return all.includes(plain) ? undefined : { message, near: nearest(plain, all).map((one) => prefix + one) }
  }
  switch (first) {
    case 'run':
      return runNames.includes(name) ? undefined : { message: `A run has no "${name}".`, near: runNames }
    case 'env':
      if (name === 'env' || rest.includes('.')) return { message: 'An environment name follows "env.".', near: [] }
      return known.env ? among(known.env, `The environment has no "${rest}".`, 'env.') : undefined
    case 'secrets':
      return secrets && among(secrets, `The secret "${rest}" is not declared in "secrets".`, 'secrets.')
    case 'data':
      return data && among(Object.keys(data[0] ?? {}), `The table "data" has no column "${rest}".`, 'data.')
    case 'remembered':
      if (known.open) return
      return among(known.remembered, `"${rest}" is not remembered before this step.`, 'remembered.')
    default:
      return variables && among(Object.keys(variables), `There is no variable "${name}".`)
  }
}
