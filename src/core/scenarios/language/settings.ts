import type { PlanSettings, PlanStep } from '../plan.ts'
import { type FrontMatter, viewportOf } from './schema.ts'

const defaults = { timeout_ms: 120_000, step_timeout_ms: 10_000, retries: 0 }

/** How a scenario is run, defaults filled in. */
export function settingsOf(frontMatter: FrontMatter, steps: readonly PlanStep[]): PlanSettings {
  const { base_url, locale, timezone, color_scheme } = frontMatter
  return {
    ...(base_url !== undefined && { base_url }),
    timeout_ms: frontMatter.timeout_ms ?? defaults.timeout_ms,
    step_timeout_ms: frontMatter.step_timeout_ms ?? defaults.step_timeout_ms,
    retries: frontMatter.retries ?? defaults.retries,
    viewport: viewportOf(frontMatter.viewport ?? 'desktop') as PlanSettings['viewport'],
    ...(locale !== undefined && { locale }),
    ...(timezone !== undefined && { timezone }),
    ...(color_scheme !== undefined && { color_scheme }),
    assertions: { ...frontMatter.assertions },
    uses_clock: steps.some(({ verb }) => verb === 'set_clock' || verb === 'advance_clock'),
  }
}

/** The clones of the front matter, and the ones that steps look at without declaring them. */
export function clonesOf(frontMatter: FrontMatter, steps: readonly PlanStep[]): FrontMatter['clones'] & object {
  const clones = [...(frontMatter.clones ?? [])]
  for (const step of steps) {
    const clone = step.verb === 'wait_webhook' || (step.verb === 'assert' && step.subject === 'clone')
    if (clone && !clones.some(({ kind }) => kind === step.kind)) clones.push({ kind: step.kind })
  }
  return clones
}
