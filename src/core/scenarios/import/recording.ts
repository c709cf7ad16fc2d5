import { passwordNote } from './calls.ts'
import { parseSource } from './parse.ts'
import { escapeText, type Scope } from './values.ts'
import { type LeftOut, stepsOf, whyNot } from './walk.ts'

/** What a person did, in order: code as Playwright's recorder writes it, or a step that was asked for. */
export type Recorded = { code: string } | { step: string }

export interface Surroundings {
  origin: string
  /** Values of password fields, as far as they were typed. */
  passwords: ReadonlySet<string>
  /** Addresses that the person entered. */
  typed: ReadonlySet<string>
}

export interface RecordedSteps {
  steps: string[]
  secrets: Set<string>
  leftOut: LeftOut[]
}

/** The steps of a recording. What was typed into password fields becomes `${secrets.…}`; addresses of `origin` become paths. */
export function stepsOfRecording(
  recorded: readonly Recorded[],
  { origin, passwords, typed }: Surroundings,
): RecordedSteps {
  const scope: Scope = { names: new Map([['page', { kind: 'page' }]]), secrets: new Set(), env: new Set() }
  for (let tab = 1; tab < 20; tab++) scope.names.set(`page${tab}`, { kind: 'page' })
  const leftOut: LeftOut[] = []
  const lines = recorded.flatMap((one) =>
    'step' in one ? checked(one.step, leftOut) : stepsOfCode(one.code, typed, scope, leftOut),
  )
  const hidden = lines.map((line) => hidePasswords(line, passwords, scope.secrets))
  const steps = tidy(hidden.map((line) => line.replace(`Navigate to ${origin}/`, 'Navigate to /')))
  // That a password became a secret is how it should be, and no news.
  return {
    steps,
    secrets: scope.secrets,
    leftOut: leftOut.filter(({ reason }) => reason !== passwordNote),
  }
}

/** The recorder waits for a new tab, a dialog or a download in lines of their own: here they are steps behind the action. */
function stepsOfCode(code: string, typed: ReadonlySet<string>, scope: Scope, leftOut: LeftOut[]): string[] {
  const lines = code.split('\n')
  const isTyped = (line: string) => {
    const [, url] = /\.goto\('((?:[^'\\]|\\.)*)'\)/.exec(line) ?? []
    return url === undefined || typed.has(url.replaceAll("\\'", "'"))
  }
  const acts = lines.filter((line) => /^\s*await page\d*\./.test(line) && isTyped(line))
  const source = parseSource(acts.join('\n'))
  const steps = stepsOf(source.program.body, { source, scope, leftOut })
  const after = [
    ...(/\.once\('dialog'/.test(code) ? [/\.accept\(/.test(code) ? 'Accept dialog' : 'Dismiss dialog'] : []),
    ...(/waitForEvent\('popup'\)/.test(code) ? ['Switch to new tab'] : []),
  ]
  return steps.length > 0 ? [...steps, ...after] : steps
}

function checked(step: string, leftOut: LeftOut[]): string[] {
  const problem = whyNot(step)
  if (problem === undefined) return [step]
  leftOut.push({ line: 0, code: step, reason: problem, carried: false })
  return []
}

function hidePasswords(line: string, passwords: ReadonlySet<string>, secrets: Set<string>): string {
  let place = 0
  for (const value of passwords) {
    place += 1
    const clear = ` with "${escapeText(value)}"`
    const typed = `Type "${escapeText(value)}" into `
    if (value === '' || (!line.includes(clear) && !line.startsWith(typed))) continue
    const name = place === 1 ? 'PASSWORD' : `PASSWORD_${place}`
    secrets.add(name)
    return line.replace(clear, ` with \${secrets.${name}}`).replace(typed, `Type \${secrets.${name}} into `)
  }
  return line
}

/** Who fills a field clicks into it first; that is the same step. */
function tidy(steps: readonly string[]): string[] {
  return steps.filter((step, at) => {
    const next = steps[at + 1] ?? ''
    const [, target] = /^Click (.*)$/.exec(step) ?? []
    if (
      target !== undefined &&
      (next.startsWith(`Fill ${target} with`) || next === `Check ${target}` || next === `Uncheck ${target}`)
    )
      return false
    return target === undefined || !(next.startsWith('Select ') && next.endsWith(` in ${target}`))
  })
}
