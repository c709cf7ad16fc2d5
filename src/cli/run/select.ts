import { fail } from '../../core/errors.ts'
import type { Wanted } from './gather.ts'

export interface Shard {
  index: number
  count: number
}

/** `--shard 2/3`: which part of how many. Throws `bad_request`. */
export function readShard(value: unknown): Shard | undefined {
  if (typeof value !== 'string') return undefined
  const [, index = 0, count = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(value) ?? []).map(Number)
  if (count < 1) fail('bad_request', `--shard is "${value}": it takes a part and how many there are, such as 2/3.`)
  if (index < 1 || index > count)
    fail(
      'bad_request',
      `--shard is "${value}": of ${count} ${count === 1 ? 'shard' : 'shards'} the part is 1 to ${count}.`,
    )
  return { index, count }
}

/** `--grep`: a regular expression over slug and title, regardless of case. Throws `bad_request`. */
export function readGrep(value: unknown): RegExp | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return new RegExp(value, 'iu')
  } catch (cause) {
    return fail('bad_request', `--grep is "${value}", which is no regular expression: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

/** Those that match, and of them this shard's: every machine deals the same cards, whatever order it found them in. */
export function select(wanted: readonly Wanted[], grep: RegExp | undefined, shard: Shard | undefined): Wanted[] {
  const matching = wanted.filter(({ slug, plan }) => !grep || grep.test(slug) || grep.test(plan.scenario.title))
  if (grep && matching.length === 0)
    fail(
      'bad_request',
      `None of ${wanted.length} ${wanted.length === 1 ? 'scenario' : 'scenarios'} matches --grep ${grep.source}.`,
    )
  if (!shard) return matching
  const sorted = [...matching].sort((a, b) => (a.slug < b.slug ? -1 : 1))
  return sorted.filter((_one, place) => place % shard.count === shard.index - 1)
}
