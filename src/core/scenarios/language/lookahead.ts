import { causesNothing, type PlanStep } from '../plan.ts'
import type { Report } from './problem.ts'

/**
 * Arms, on the last action before it, each dialog and each new tab that a step meets: Playwright dismisses a dialog that
 * nobody listens for. A dialog that follows a dialog is armed on the step that meets the first.
 */
export function lookAhead(
  steps: readonly PlanStep[],
  open: boolean,
  offsets: readonly { start: number; end: number }[],
  report: Report,
): PlanStep[] {
  const armed = steps.map((step) => ({ ...step }))
  let cause: PlanStep | undefined
  for (const [index, step] of armed.entries()) {
    const newTab = step.verb === 'switch_tab' && step.title === undefined
    if (newTab || step.verb === 'dialog') {
      if (cause) arm(cause, step)
      else if (!open) {
        const { start, end } = offsets[index] as { start: number; end: number }
        const message = `No step before this one could open ${newTab ? 'a new tab' : 'a dialog'}.`
        report({ code: 'MOLAR_S003', message, start, end, suggestions: [] })
      }
    }
    if (!causesNothing.has(step.verb)) cause = step
  }
  return armed
}

function arm(cause: PlanStep, met: PlanStep): void {
  if (met.verb === 'switch_tab') cause.arm = { ...cause.arm, tab: true }
  if (met.verb !== 'dialog') return
  const { accept, value } = met
  cause.arm = { ...cause.arm, dialog: value === undefined ? { accept } : { accept, value } }
}
