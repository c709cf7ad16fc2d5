import { fail } from '../core/errors.ts'

/** `--slots` and `--port`: whole numbers of the command line. Throws `bad_request`. */
export function readWhole(name: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  const number = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN
  if (number >= least && number <= most) return number
  return fail('bad_request', `${name} is "${String(value)}": it takes a whole number, ${least} to ${most}.`)
}

export const readSlots = (value: unknown): number | undefined => readWhole('--slots', value, 1, 256)
