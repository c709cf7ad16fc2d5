import type { Value } from '../plan.ts'
import type { RuntimeEnvironment } from './environment.ts'
import { StepFailure } from './failure.ts'

/** The text that a value stands for now. Throws a StepFailure of kind `environment` for what cannot be resolved. */
export function resolveValue(
  value: Value,
  environment: RuntimeEnvironment,
  remembered: Record<string, string>,
): string {
  if (typeof value === 'string') return value
  return value
    .map((part) => (typeof part === 'string' ? part : resolveReference(part.ref, environment, remembered)))
    .join('')
}

/** The value as written, with `${…}` where references stand: safe to show. */
export function shownValue(value: Value): string {
  return typeof value === 'string'
    ? value
    : value.map((part) => (typeof part === 'string' ? part : `\${${part.ref}}`)).join('')
}

/** The names of the secrets that a value holds. */
export function secretsIn(value: Value): string[] {
  if (typeof value === 'string') return []
  return value.flatMap((part) =>
    typeof part !== 'string' && part.ref.startsWith('secrets.') ? [part.ref.slice(8)] : [],
  )
}

function resolveReference(ref: string, environment: RuntimeEnvironment, remembered: Record<string, string>): string {
  const found = lookUpReference(ref, environment, remembered)
  if (found === undefined)
    throw new StepFailure('environment', `\${${ref}} has no value in this run.`, { hint: referenceHint(ref) })
  return found
}

function lookUpReference(
  ref: string,
  { variables, env, secrets, run, data }: RuntimeEnvironment,
  remembered: Record<string, string>,
): string | undefined {
  const dot = ref.indexOf('.')
  const [space, name] = [ref.slice(0, Math.max(dot, 0)), ref.slice(dot + 1)]
  if (space === 'secrets') return own(secrets, name)
  if (space === 'env') return own(env, name)
  if (space === 'remembered') return own(remembered, name)
  if (space === 'data') return own(data, name)
  if (space === 'run') return own({ id: run.id, 'user.id': run.user.id, 'user.email': run.user.email }, name)
  return own(variables, ref)
}

function own(map: Record<string, string>, key: string): string | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

function referenceHint(ref: string): string {
  if (ref.startsWith('secrets.')) return 'Store the secret for the org, or give it to the run.'
  if (ref.startsWith('env.')) return 'Set it in the environment in which the run takes place.'
  if (ref.startsWith('remembered.')) return 'Remember it in a step before this one.'
  return 'Give it under `variables` in the front matter.'
}
