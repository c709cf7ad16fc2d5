import { kebab } from './flags.ts'

/**
 * How this user starts this program once more. Through npm it is not on their PATH; and outside of this repository
 * `npx molar` would fetch the package of that name, which is another's.
 */
export function calledAs(environment: Record<string, string | undefined>): string {
  if (environment.npm_command === undefined) return 'molar'
  return environment.npm_package_name === '@molar/guard' ? 'npx molar' : 'npx @molar/guard'
}

/** `scenarios.list` → `molar scenarios list` */
export const verbOf = (
  { noun, verb }: { noun: string; verb: string },
  environment: Record<string, string | undefined>,
) => `${calledAs(environment)} ${noun} ${kebab(verb)}`
