import type { PlanStep, StepPlan } from '../plan.ts'
import { runtimeImports, runtimeSource } from '../runtime.generated.ts'
import { frame, header, missingUses } from './frame.ts'

export interface EmitOptions {
  /** Plans by slug for what `uses` names; their Setup and Steps come first. */
  uses?: Readonly<Record<string, StepPlan>>
}

/** A `.spec.ts` that runs under plain `npx playwright test`; same plans, same bytes. */
export function emitSpec(plan: StepPlan, { uses = {} }: EmitOptions = {}): string {
  const { used, missing } = usedPlans(plan, uses)
  const all = [...used, plan]
  const lines = (steps: readonly PlanStep[], on: 'main' | 'after') => steps.map((step) => stepLine(step, on)).join('')
  const before = used.flatMap(({ steps }) => steps.filter(({ section }) => section !== 'teardown'))
  const main = plan.steps.filter(({ section }) => section !== 'teardown')
  const teardown = plan.steps.filter(({ section }) => section === 'teardown')
  const { settings } = plan
  const facts = {
    title: plan.scenario.title,
    settings: { ...settings, uses_clock: all.some((one) => one.settings.uses_clock) },
    variables: Object.assign({}, ...all.map(({ variables }) => variables)) as Record<string, string>,
    secrets: unique(all.flatMap(({ secrets }) => secrets)),
    env: unique(all.flatMap(({ env }) => env)),
    rows: plan.data.length > 0 ? plan.data : [{}],
  }
  return [
    header,
    missing ? missingUses : '',
    `import { dirname, join } from 'node:path'\nimport { test } from '@playwright/test'\n`,
    runtimeImports === '' ? '' : `${runtimeImports}\n`,
    '\n',
    ...Object.entries(facts).map(([name, value]) => `const ${name} = ${literal(value)}\n`),
    frame.open,
    lines([...before, ...main], 'main'),
    frame.teardown,
    lines(teardown, 'after'),
    frame.close,
    frame.runtime(runtimeSource),
  ].join('')
}

function stepLine(step: PlanStep, on: 'main' | 'after'): string {
  const { range: _, ...plain } = step
  const call = `test.step(${literal(step.text)}, () => ${on}.run(${literal(plain)}))`
  const lenient = on === 'after' ? 'warn' : step.options.optional ? 'pass' : undefined
  return lenient ? `      await ${lenient}(info, () => ${call})\n` : `      await ${call}\n`
}

/** Scenarios in the order in which they run, each once, and whether some were not given. */
function usedPlans(plan: StepPlan, uses: Readonly<Record<string, StepPlan>>): { used: StepPlan[]; missing: boolean } {
  const used: StepPlan[] = []
  const seen = new Set([plan.scenario.slug])
  let missing = false
  const visit = ({ uses: slugs }: StepPlan) => {
    for (const slug of slugs) {
      if (seen.has(slug)) continue
      seen.add(slug)
      const one = Object.hasOwn(uses, slug) ? uses[slug] : undefined
      if (!one) missing = true
      else {
        visit(one)
        used.push(one)
      }
    }
  }
  visit(plan)
  return { used, missing }
}

/** JSON is JavaScript but for two line separators, and `__proto__`, which no name may be. */
function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}
