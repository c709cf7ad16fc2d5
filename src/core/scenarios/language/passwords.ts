import type { PlanStep, StepPlan, Target, Value } from '../plan.ts'
import type { Problem } from './problem.ts'

const passwordLike = /pass[ _-]?(?:word|phrase|code)|passwort|kennwort|mot de passe|contrase(?:ñ|n)a|\bpwd\b/i
const dots = '••••'

/** The password that a step writes down: `Fill "Password" with "hunter2"` holds hunter2. */
export function passwordIn(step: PlanStep): string | undefined {
  if (step.verb !== 'fill' && step.verb !== 'type') return undefined
  if (typeof step.value !== 'string' || step.value === '' || !step.target) return undefined
  return passwordLike.test(String(nameOf(step.target))) ? step.value : undefined
}

function nameOf(target: Target): Value {
  if (target.by === 'css') return target.css
  if (target.by === 'testid') return target.testid
  return target.name ?? ''
}

/** What is odd about a plan though it runs. */
export const warningsOf = ({ steps }: StepPlan): Problem[] =>
  steps.flatMap((step) =>
    passwordIn(step) === undefined
      ? []
      : [
          {
            code: 'MOLAR_S013',
            message: 'A password stands here for everybody who reads the scenario. Declare it: secrets: [PASSWORD].',
            range: step.range,
            suggestions: ['`${secrets.PASSWORD}`'],
          },
        ],
  )

/** The plan as its run tells of it: without the passwords that its steps write down. */
export const withoutPasswords = (plan: StepPlan): StepPlan => ({
  ...plan,
  steps: plan.steps.map((step) => {
    const password = passwordIn(step)
    return password === undefined ? step : { ...step, text: hide(step.text, password) }
  }),
})

/** As it stands; where quoting has changed it, all behind the step's own words goes. */
function hide(text: string, password: string): string {
  if (text.includes(password)) return text.replaceAll(password, dots)
  return text.replace(/(\bwith\s+|^type\s+).*$/is, `$1"${dots}"`)
}
