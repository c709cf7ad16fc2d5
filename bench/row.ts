/** One line of a bench: what was measured, beside its budget where it has one. */
export interface Row {
  what: string
  value: number
  /** `ms`, or `` for a ratio. */
  unit?: string
  /** The budget: at most, or at least. */
  most?: number
  least?: number
  /** The figures behind it. */
  detail?: string
}

/** Prints a row, and hands it to `npm run bench` where that started this bench. */
export function tell(row: Row): void {
  process.stdout.write(`${showRow(row)}\n`)
  process.send?.(row)
}

export const holds = ({ value, most, least }: Row): boolean =>
  value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? Number.NEGATIVE_INFINITY)

export function showRow(row: Row): string {
  const { what, value, unit = '', most, least, detail } = row
  const budget = most !== undefined ? `at most ${most}` : least !== undefined ? `at least ${least}` : ''
  const verdict = budget === '' ? '' : holds(row) ? 'holds' : 'MISSED'
  const figure = `${Number.isInteger(value) ? value : value.toFixed(2)} ${unit}`
  const line = `${what.padEnd(58)} ${figure.padStart(10)}  ${budget.padEnd(14)} ${verdict.padEnd(6)} ${detail ?? ''}`
  return line.trimEnd()
}

/** The value below which that share of the list lies. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (list: readonly number[]): number => quantile(list, 0.5)

/** Median and middle half, as people compare them. */
export const spread = (list: readonly number[], digits = 0): string =>
  `${median(list).toFixed(digits)} (${quantile(list, 0.25).toFixed(digits)} to ${quantile(list, 0.75).toFixed(digits)})`

/** The median of the rounds' own ratios: a machine that others load slows both sides of a round alike. */
export const ratio = (one: readonly number[], other: readonly number[]): number =>
  median(other.slice(0, one.length).map((value, round) => one[round]! / value))

/** `npm run bench -- --quick`: fewer rounds of everything. */
export const quick = process.env.MOLAR_BENCH_QUICK !== undefined

/** False once a bench has had its share of the whole run's time: fewer rounds then, on a machine that is busy. */
export const timeLeft = (): boolean => performance.now() < (quick ? 15_000 : 75_000)
