import { CommandError, fail } from '../../core/errors.ts'
import type { Options } from '../cli.ts'
import { type Results, readReporter } from './reporters/index.ts'
import { readGrep, readShard, type Shard } from './select.ts'

/** What the command line of `molar run` says, read and checked before anything is opened. */
export interface Choices {
  tags: string[]
  variables: Record<string, string>
  timeoutMs: number | undefined
  env: string | undefined
  baseUrl: string | undefined
  grep: RegExp | undefined
  shard: Shard | undefined
  /** A document for another program; undefined is lines for people. */
  reporter: ((results: Results) => string) | undefined
  /** Where that document goes; standard output when undefined. */
  output: string | undefined
  url: string | undefined
  ci: boolean
  headed: boolean
  watch: boolean
}

/** Throws `bad_request` with the flag, what it was given and what it takes. */
export function readChoices(options: Options): Choices {
  const text = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined)
  const json = options.json === true
  if (json && text('reporter') !== undefined && text('reporter') !== 'json')
    fail('bad_request', '--json is --reporter json; leave one of them out.')
  const reporter = readReporter(json ? 'json' : options.reporter)
  if (text('output') !== undefined && !reporter)
    fail('bad_request', '--output takes the document of a --reporter: json, junit or github.')
  if (options.watch === true && reporter && text('output') === undefined)
    fail('bad_request', '--watch tells each result as it comes; give --output a file for the report.')
  return {
    tags: list(options.tag),
    variables: readVariables(options.var),
    timeoutMs: readDuration(options.timeout),
    env: text('env'),
    baseUrl: readUrl(text('baseUrl')),
    grep: readGrep(options.grep),
    shard: readShard(options.shard),
    reporter,
    output: text('output'),
    url: text('url'),
    ci: options.ci === true,
    headed: options.headed === true,
    watch: options.watch === true,
  }
}

const list = (value: Options[string]): string[] => (Array.isArray(value) ? value : [])

function readUrl(value: string | undefined): string | undefined {
  if (value === undefined || /^https?:\/\/[^/]/.test(value)) return value
  return fail('bad_request', `--base-url is "${value}": it takes an http or https URL, such as http://localhost:3000.`)
}

function readVariables(value: Options[string]): Record<string, string> {
  const pairs = list(value).map((pair) => {
    const at = pair.indexOf('=')
    return at > 0
      ? [pair.slice(0, at), pair.slice(at + 1)]
      : fail('bad_request', `--var "${pair}": write it as name=value.`)
  })
  return Object.fromEntries(pairs)
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function readDuration(value: Options[string]): number | undefined {
  if (typeof value !== 'string') return undefined
  const [, number = '', unit = 's'] = /^(\d+)(ms|s|m|h)?$/.exec(value) ?? []
  if (number === '')
    throw new CommandError('bad_request', `--timeout is "${value}": it takes a duration, such as 90s or 10m.`)
  return Number(number) * (units[unit] ?? 1000)
}
