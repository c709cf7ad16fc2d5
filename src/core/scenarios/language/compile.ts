import { hash as digest } from 'node:crypto'
import type { PlanStep, Section, StepPlan } from '../plan.ts'
import { type Body, readBody } from './body.ts'
import { readFrontMatter } from './front.ts'
import { lookAhead } from './lookahead.ts'
import { tooMuch } from './nesting.ts'
import type { Finding, Problem, Report } from './problem.ts'
import { checkReferences, type Declared, type Known, noteNames } from './references.ts'
import type { FrontMatter } from './schema.ts'
import { clonesOf, settingsOf } from './settings.ts'
import { readStep } from './step.ts'
import { canonicalText, foldSpace, locator, toProblems } from './text.ts'
import { compilerVersion } from './version.ts'

export interface CompileOptions {
  /** Shown by the caller in its messages; it has no part in the output. */
  file?: string
  /** The names that `${env.NAME}` may read; left out, any. */
  knownEnv?: readonly string[]
  /** Plans of the scenarios that `uses` names. */
  uses?: Readonly<Record<string, StepPlan>>
}

export interface Compiled {
  ok: true
  plan: StepPlan
  /** Everything the front matter says, also what has no part in a run. */
  frontMatter: FrontMatter
  canonical: string
  /** SHA-256, hex, of compiler version and canonical content. */
  hash: string
}

export type CompileResult = Compiled | { ok: false; problems: Problem[] }

const mostBytes = 256 * 1024
const mostSteps = 500
const mostProblems = 200

/** Compiles one scenario. Same source, same answer, byte for byte; all its problems at once, by position. */
export function compileScenario(source: string, options: CompileOptions = {}): CompileResult {
  const refused = refuseSource(source)
  if (refused) return { ok: false, problems: toProblems('', [refused]) }
  const canonical = canonicalText(source)
  const findings: Finding[] = []
  const report: Report = (finding) => findings.push(finding)
  const compiled = compileCanonical(canonical, options, report)
  if (findings.length > 0 || !compiled) {
    return { ok: false, problems: toProblems(canonical, findings).slice(0, mostProblems) }
  }
  return { ok: true, ...compiled, canonical, hash: compiled.plan.hash }
}

/** What no parser should be given. */
function refuseSource(source: string): Finding | undefined {
  const at = { start: 0, end: 0, suggestions: [] }
  if (source.length > mostBytes || Buffer.byteLength(source) > mostBytes) {
    return { code: 'MOLAR_S012', message: 'A scenario has at most 256 KiB.', ...at }
  }
  return
}

function compileCanonical(
  source: string,
  options: CompileOptions,
  report: Report,
): { plan: StepPlan; frontMatter: FrontMatter } | undefined {
  if (!checkCharacters(source, report)) return
  const much = tooMuch(source)
  if (much) {
    report({ code: 'MOLAR_S012', ...much, suggestions: [] })
    return
  }
  const body = readBody(source, report)
  const { frontMatter, declared } = readFrontMatter(source, body.frontMatter, report)
  const { steps, env } = readSteps(source, body, knownAtStart(declared, options), report)
  if (!frontMatter) return
  const hash = digest('sha256', `${compilerVersion}\n${source}`)
  const {
    id,
    slug,
    description,
    tags = [],
    priority = 'medium',
    variables = {},
    secrets = [],
    uses = [],
    data = [],
  } = frontMatter
  const plan: StepPlan = {
    compiler: compilerVersion,
    hash,
    scenario: { id, slug, title: body.title || slug, description, tags, priority },
    settings: settingsOf(frontMatter, steps),
    variables,
    secrets,
    env,
    clones: clonesOf(frontMatter, steps),
    uses,
    data,
    steps,
  }
  return { plan, frontMatter }
}

/** PostgreSQL and YAML cannot hold NUL, UTF-8 no lone surrogate. */
function checkCharacters(source: string, report: Report): boolean {
  const nul = source.indexOf('\0')
  if (nul !== -1) {
    report({ code: 'MOLAR_S009', message: 'The file holds a NUL byte.', start: nul, end: nul + 1, suggestions: [] })
  }
  if (source.isWellFormed()) return nul === -1
  const lone = source
    .toWellFormed()
    .split('')
    .findIndex((char, index) => char !== source[index])
  report({ code: 'MOLAR_S009', message: 'The file is not Unicode text.', start: lone, end: lone + 1, suggestions: [] })
  return false
}

function readSteps(source: string, body: Body, known: Known, report: Report): { steps: PlanStep[]; env: string[] } {
  checkCount(body, report)
  const read = body.steps.slice(0, mostSteps)
  const locate = locator(source)
  const occurrences = new Map<string, number>()
  const env = new Set<string>()
  const steps: PlanStep[] = []
  const offsets: { start: number; end: number }[] = []
  for (const [index, { section, source: step }] of read.entries()) {
    const found = readStep(source, step, report)
    if (!found) continue
    for (const name of checkReferences(found.references, known, report)) env.add(name)
    noteNames(found.action, known, step, report)
    const text = foldSpace(source.slice(step.start, step.end))
    const range = { start: locate(step.start), end: locate(step.end) }
    const step_id = stepId(section, text, occurrences)
    steps.push({ ...found.action, step_id, number: index + 1, section, text, range, options: planOptions(found) })
    offsets.push(step)
  }
  // With a step missing, what the next one meets may have been caused by it.
  const whole = steps.length === read.length
  return { steps: whole ? lookAhead(steps, known.open, offsets, report) : steps, env: [...env].sort() }
}

function checkCount({ steps, headings }: Body, report: Report): void {
  const beyond = steps[mostSteps]
  if (beyond) {
    const { start, end } = beyond.source
    report({
      code: 'MOLAR_S012',
      message: `A scenario has at most ${mostSteps} steps; it has ${steps.length}.`,
      start,
      end,
      suggestions: [],
    })
  }
  if (steps.some(({ section }) => section === 'steps')) return
  const place = headings.steps ?? { start: 0, end: 0 }
  const message = headings.steps
    ? 'The section "Steps" holds no steps.'
    : 'There is no section "Steps" with a list of steps.'
  report({ code: 'MOLAR_S007', message, ...place, suggestions: headings.steps ? ['1. Navigate to /'] : ['## Steps'] })
}

function knownAtStart(declared: Declared, options: CompileOptions): Known {
  const { uses } = declared
  const plans = (uses ?? []).flatMap((slug) => options.uses?.[slug] ?? [])
  const earlier = plans.flatMap(({ steps }) => steps)
  return {
    declared,
    env: options.knownEnv,
    open: !uses || plans.length < uses.length || plans.some((plan) => plan.uses.length > 0),
    remembered: new Set(earlier.flatMap((step) => (step.verb === 'remember' ? [step.as] : []))),
    downloads: new Set(earlier.flatMap((step) => (step.verb === 'download' ? [step.as] : []))),
  }
}

/** The same sentence in the same section has the same id, however the rest of the scenario changes. */
function stepId(section: Section, text: string, occurrences: Map<string, number>): string {
  const key = `${section}\n${text}`
  const occurrence = (occurrences.get(key) ?? 0) + 1
  occurrences.set(key, occurrence)
  return `s_${digest('sha256', `${key}\n${occurrence}`).slice(0, 10)}`
}

function planOptions({
  action,
  options,
}: {
  action: { verb: string }
  options: Record<string, unknown>
}): PlanStep['options'] {
  const { timeout, optional, name } = options
  // The name of a picture is its label.
  const named = action.verb !== 'snapshot' && action.verb !== 'screenshot'
  return {
    ...(typeof timeout === 'number' && { timeout_ms: timeout }),
    ...(optional === true && { optional }),
    ...(named && typeof name === 'string' && { name }),
  }
}
